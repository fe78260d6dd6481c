package io.keelson.image.registry.hosts;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.image.fixture.Fuzz;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;

/** Whatever stands in a hosts.toml: it is read, or refused with the file's name. */
class HostsFilePropertiesTest {

  private static final Path FILE = Path.of("/etc/keelson/registries/example.org/hosts.toml");

  @Fuzz(tries = 1000)
  void anyTextIsReadOrRefused(@ForAll String text) {
    assertReadOrRefused(text);
  }

  @Fuzz(tries = 1500)
  void anyTomlIsReadOrRefused(@ForAll("files") String text) {
    assertReadOrRefused(text);
  }

  @Fuzz(tries = 20)
  void depthEndsInARefusal(@ForAll("depths") int depth) {
    assertReadOrRefused("ca = " + "[".repeat(depth) + "]".repeat(depth));
  }

  private static void assertReadOrRefused(String text) {
    try {
      List<HostSettings> hosts = HostsFile.parse(FILE, text);
      assertThat(hosts).isNotEmpty();
      assertThat(hosts).allMatch(host -> !host.capabilities().isEmpty());
    } catch (IOException e) {
      assertThat(e.getMessage()).startsWith(FILE.toString());
    }
  }

  @Provide
  Arbitrary<Integer> depths() {
    return Arbitraries.integers().between(0, 20_000);
  }

  /** Files of the words that matter, with values of all kinds. */
  @Provide
  Arbitrary<String> files() {
    Arbitrary<String> lines =
        Combinators.combine(keys(), values(2)).as((key, value) -> key + " = " + value);
    Arbitrary<String> tables =
        Arbitraries.of(
            "[host]",
            "[host.'http://mirror:5000']",
            "[host.\"\"]",
            "[host.'http://mirror:5000'.header]",
            "[[host]]",
            "[header]",
            "[server]",
            "[");
    return Arbitraries.frequencyOf(Tuple.of(3, lines), Tuple.of(1, tables))
        .list()
        .ofMaxSize(10)
        .map(all -> String.join("\n", all));
  }

  private static Arbitrary<String> keys() {
    return Arbitraries.of(
        "server",
        "capabilities",
        "ca",
        "client",
        "skip_verify",
        "override_path",
        "dial_timeout",
        "header",
        "host",
        "x-team",
        "'a b'",
        "\"\\u0000\"",
        "host.'http://other'.ca");
  }

  private static Arbitrary<String> values(int depth) {
    Arbitrary<String> leaves =
        Arbitraries.of(
            "true",
            "0",
            "-1",
            "1.5",
            "nan",
            "1979-05-27T07:32:00Z",
            "''",
            "'pull'",
            "'resolve'",
            "'http://mirror'",
            "'3s'",
            "'999999m'",
            "'../../../x.pem'",
            "'/etc/x.pem'",
            "\"a\\u0000b\"",
            "\"a\\r\\nb\"",
            "\"\\ud800\"",
            "\"\"\"\n\"\"\"",
            "'");
    if (depth == 0) {
      return leaves;
    }
    Arbitrary<String> inner = values(depth - 1);
    Arbitrary<String> arrays =
        inner.list().ofMaxSize(3).map(items -> "[" + String.join(",", items) + "]");
    Arbitrary<String> inlineTables =
        Combinators.combine(keys(), inner)
            .as((key, value) -> key + " = " + value)
            .list()
            .ofMaxSize(3)
            .map(fields -> "{" + String.join(",", fields) + "}");
    return Arbitraries.frequencyOf(
        Tuple.of(4, leaves), Tuple.of(2, arrays), Tuple.of(1, inlineTables));
  }
}
