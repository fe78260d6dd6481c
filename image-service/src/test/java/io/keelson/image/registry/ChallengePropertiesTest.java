package io.keelson.image.registry;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.image.fixture.Fuzz;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Provide;

/** Whatever a server writes into WWW-Authenticate: it is read, or left out, and never in vain. */
class ChallengePropertiesTest {

  @Fuzz(tries = 2000)
  void anyHeaderIsReadOrLeftOut(@ForAll("headers") List<String> headers) {
    for (Challenge challenge : Challenge.parse(headers)) {
      assertThat(challenge.scheme()).matches("[a-z0-9_-]+");
      assertThat(challenge.parameters().keySet()).allMatch(name -> name.matches("[a-z0-9_-]+"));
    }
  }

  @Fuzz(tries = 20)
  void lengthIsNoTrouble(@ForAll("words") String word) {
    Challenge.parse(List.of("Bearer realm=\"" + word.repeat(50_000) + "\""));
    Challenge.parse(List.of("Bearer " + word.repeat(50_000)));
  }

  @Provide
  Arbitrary<List<String>> headers() {
    return words().list().ofMaxSize(12).map(words -> String.join("", words)).list().ofMaxSize(3);
  }

  @Provide
  Arbitrary<String> words() {
    return Arbitraries.of(
        "Bearer ",
        "Basic ",
        "realm",
        "service",
        "=",
        "\"",
        "\\",
        "\\\"",
        ",",
        " ",
        "\t",
        "a",
        "é",
        "http://x/token",
        "Negotiate",
        "dG9r==");
  }
}
