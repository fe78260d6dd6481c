package io.keelson.runtime.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class TableTest {

  @Test
  void columnsAreAsWideAsTheirWidestCell() {
    Table table = new Table("ID", "NAME", "STATE");
    table.row("1", "a-long-name", "running");
    table.row("10000", "", "exited");

    assertThat(print(table))
        .isEqualTo(
            """
            ID      NAME          STATE
            1       a-long-name   running
            10000   -             exited
            """);
  }

  @Test
  void aCellCannotDrawOnTheTerminal() {
    Table table = new Table("NAME");
    table.row("\u001b[2Jgone\nnext");

    assertThat(print(table)).isEqualTo("NAME\n.[2Jgone.next\n");
  }

  @Test
  void figuresAreAsPeopleReadThem() {
    assertThat(Units.size(0)).isEqualTo("0B");
    assertThat(Units.size(1023)).isEqualTo("1023B");
    assertThat(Units.size(1024)).isEqualTo("1.0KiB");
    assertThat(Units.size(4_404_019)).isEqualTo("4.2MiB");
    assertThat(Units.size(300L << 30)).isEqualTo("300GiB");
    assertThat(Units.age(Duration.ofSeconds(119))).isEqualTo("119s");
    assertThat(Units.age(Duration.ofMinutes(5))).isEqualTo("5m");
    assertThat(Units.age(Duration.ofHours(47))).isEqualTo("47h");
    assertThat(Units.age(Duration.ofDays(12))).isEqualTo("12d");
    assertThat(Units.age(Duration.ofSeconds(-3))).isEqualTo("0s"); // a clock that was set back
    assertThat(Units.ageOf(0, Instant.now())).isEqualTo("-");
    assertThat(Units.shortId("sha256:0123456789abcdef")).isEqualTo("0123456789abc");
    assertThat(Units.shortId("0123456789abcdef")).isEqualTo("0123456789abc");
  }

  private static String print(Table table) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    table.print(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
