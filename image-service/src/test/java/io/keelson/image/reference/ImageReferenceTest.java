package io.keelson.image.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.image.fixture.Fuzz;
import io.keelson.sandbox.error.InvalidRequestException;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageReferenceTest {

  private static final String HEX = "0123456789abcdef".repeat(4);

  @ParameterizedTest
  @CsvSource({
    "busybox,docker.io/library/busybox:latest",
    "busybox:1.36,docker.io/library/busybox:1.36",
    "team/app,docker.io/team/app:latest",
    "docker.io/app,docker.io/library/app:latest",
    "index.docker.io/library/app,docker.io/library/app:latest",
    "localhost/app,localhost/app:latest",
    "localhost:5000/app,localhost:5000/app:latest",
    "registry:5000/a/b/c:v1_2.x-3,registry:5000/a/b/c:v1_2.x-3",
    "example.org/a,example.org/a:latest",
    "Registry/a,Registry/a:latest",
    "[::1]:5000/a:t,[::1]:5000/a:t",
    "a__b/c.d--e,docker.io/a__b/c.d--e:latest",
    "foo:5000,docker.io/library/foo:5000"
  })
  void namesAreCompletedAsDockerDoes(String text, String full) {
    assertThat(ImageReference.parse(text)).hasToString(full);
  }

  @Test
  void digestOutdoesTag() {
    ImageReference reference = ImageReference.parse("app:1@sha256:" + HEX);
    assertThat(reference).hasToString("docker.io/library/app@sha256:" + HEX);
    assertThat(reference.identifier()).isEqualTo("sha256:" + HEX);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "a b",
        "UPPER",
        "example.org/Upper",
        "a//b",
        "/a",
        "a/",
        "a:",
        ":t",
        "a:-t",
        "a@",
        "a@sha256:",
        "a@sha256:XYZ",
        "a@md5:0123",
        "-a",
        "a-",
        "a..b",
        "a___b",
        "../a",
        "example.org:99999999/a",
        "exa mple.org/a",
        "-x.org/a",
        "a\0b",
        "https://example.org/a"
      })
  void whatIsNoNameIsRefused(String text) {
    assertThatThrownBy(() -> ImageReference.parse(text))
        .isInstanceOf(InvalidRequestException.class);
  }

  @Test
  void idsAndGiantsAreNoNames() {
    assertThatThrownBy(() -> ImageReference.parse(HEX)).isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(() -> ImageReference.parse("a/".repeat(200) + "a"))
        .isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(() -> ImageReference.parse("a".repeat(1_000_000)))
        .isInstanceOf(InvalidRequestException.class);
  }

  @Fuzz(tries = 1000)
  void fullNameMeansTheSame(@ForAll("texts") String text) {
    ImageReference.tryParse(text)
        .ifPresent(name -> assertThat(ImageReference.parse(name.toString())).isEqualTo(name));
  }

  @Fuzz(tries = 5000)
  void anyTextIsANameOrRefusedAsNone(@ForAll String text) {
    ImageReference.tryParse(text)
        .ifPresent(
            name -> {
              // What goes into a URL must not be able to change its path.
              assertThat(name.path()).matches("[a-z0-9._/-]+").doesNotContain("..", "//");
              assertThat(name.domain()).matches("[A-Za-z0-9.\\[\\]:-]+");
              assertThat(name.identifier()).matches("[A-Za-z0-9_.:-]+");
            });
  }

  @Fuzz(tries = 5000)
  void partsComeOutAsTheyWentIn(
      @ForAll("hosts") String host, @ForAll("paths") String path, @ForAll("tags") String tag) {
    ImageReference name = ImageReference.parse(host + "/" + path + ":" + tag);
    assertThat(name).isEqualTo(new ImageReference(host, path, tag, null));
    assertThat(ImageReference.parse(host + "/" + path + ":" + tag + "@sha256:" + HEX).digest())
        .hasToString("sha256:" + HEX);
  }

  @Provide
  Arbitrary<String> hosts() {
    return Arbitraries.of("a.b", "localhost", "127.0.0.1:1", "x:65535", "[::1]", "[fd00::1]:5000");
  }

  @Provide
  Arbitrary<String> paths() {
    return Arbitraries.of("a", "0", "a.b", "a_b", "a__b", "a---b")
        .list()
        .ofMinSize(1)
        .ofMaxSize(8)
        .map(parts -> String.join("/", parts));
  }

  @Provide
  Arbitrary<String> tags() {
    return Arbitraries.strings()
        .withChars("abzAZ019_.-")
        .ofMinLength(1)
        .ofMaxLength(128)
        .filter(tag -> !tag.startsWith(".") && !tag.startsWith("-"));
  }

  @Provide
  Arbitrary<String> texts() {
    return Arbitraries.strings().withChars("ab1.:/_-@[]A").ofMaxLength(30);
  }
}
