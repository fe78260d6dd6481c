package io.keelson.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.sandbox.error.NotFoundException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class IndexTest {

  private final Index<String> index = new Index<>("container");

  @BeforeEach
  void fill() {
    index.put("abc1", "one");
    index.put("abd2", "two");
    index.put("ab", "short");
  }

  @Test
  void aWholeIdWinsOverPrefixes() {
    assertThat(index.find("ab")).contains("short");
  }

  @Test
  void aUniquePrefixWillDo() {
    assertThat(index.find("abc")).contains("one");
  }

  @Test
  void whatSeveralBeginWithIsNone() {
    index.remove("ab");

    assertThat(index.find("ab")).isEmpty();
    assertThat(index.find("")).isEmpty();
  }

  @Test
  void anUnknownIdIsNamedInTheError() {
    assertThatThrownBy(() -> index.get("zz"))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("container \"zz\"");
  }
}
