package io.keelson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.image.fixture.LayerTar;
import io.keelson.image.fixture.MemoryFolders;
import io.keelson.image.fixture.TestImage;
import io.keelson.image.fixture.TestRegistry;
import io.keelson.image.request.PullRequest;
import io.keelson.sandbox.error.OperationFailedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The signature policy and its verifiers. */
class SignaturesTest {

  @TempDir(factory = MemoryFolders.class)
  Path root;

  private final TestImage image = TestImage.of(new LayerTar().file("a", "x"));
  private TestRegistry registry;
  private Images images;
  private Path policy;
  private Path asked;
  private String reference;

  @BeforeEach
  void open() throws IOException {
    registry = new TestRegistry();
    reference = registry.push(image, "team/app", "1");
    policy = root.resolve("policy.json");
    asked = root.resolve("asked");
    images = Images.open(ImageSettings.defaults(root.resolve("store")).withSignaturePolicy(policy));
  }

  @AfterEach
  void close() {
    images.close();
    registry.close();
  }

  private void policy(String text) throws IOException {
    Files.writeString(policy, text.replace("REGISTRY", registry.address()));
  }

  private Path verifier(String script) throws IOException {
    Path program = root.resolve("verify");
    Files.writeString(program, "#!/bin/sh\n" + script);
    return Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
  }

  private void ask(String script) throws IOException {
    ask(script, 30);
  }

  private void ask(String script, int seconds) throws IOException {
    policy(
        """
        {"verifiers":{"v":{"command":["%s","argument"],"seconds":%d}},
         "default":"reject","registries":{"REGISTRY/team":["v"]}}
        """
            .formatted(verifier(script), seconds));
  }

  private AbstractThrowableAssert<?, ?> refused() {
    var refused =
        assertThatThrownBy(() -> images.pull(PullRequest.of(reference)))
            .isInstanceOf(OperationFailedException.class)
            .hasMessageStartingWith("SignatureValidationFailed");
    assertThat(images.list()).isEmpty();
    return refused;
  }

  @Test
  void aVerifierGetsNameAndDigestAndDecides() throws IOException {
    ask("cat > " + asked + "; echo $1 >> " + asked + "; exit 0");
    assertThat(images.pull(PullRequest.of(reference))).isEqualTo(image.id());
    assertThat(asked).hasContent(reference + "\n" + image.manifestDigest() + "\nargument\n");

    images.remove(reference);
    ask("echo 'no signature of the team' >&2; exit 3");
    refused().hasMessageContaining("no signature of the team").hasMessageContaining("v refuses");
  }

  @Test
  void anImageThatIsHereGetsNoNameThatIsNotAccepted() throws IOException {
    policy("{}");
    images.pull(PullRequest.of(reference));
    policy("{\"default\":\"reject\"}");
    String other = registry.push(image, "other/app", "2");
    assertThatThrownBy(() -> images.pull(PullRequest.of(other)))
        .hasMessageStartingWith("SignatureValidationFailed");
    assertThat(images.status(other)).isEmpty();
  }

  @Test
  void theLongestNameDecides() throws IOException {
    policy("{\"default\":\"accept\",\"registries\":{\"REGISTRY\":\"reject\"}}");
    refused();
    policy("{\"registries\":{\"REGISTRY\":\"reject\",\"REGISTRY/team/app\":\"accept\"}}");
    images.pull(PullRequest.of(reference));
    images.remove(reference);
    policy("{\"registries\":{\"REGISTRY/te\":\"accept\"},\"default\":\"reject\"}");
    refused();
  }

  @Test
  void whatGoesWrongRefuses() throws IOException {
    refused().hasMessageContaining("policy.json");
    for (String wrong :
        new String[] {
          "{",
          "[]",
          "{\"registry\":{}}",
          "{\"default\":\"yes\"}",
          "{\"default\":[\"none\"]}",
          "{\"verifiers\":{\"v\":{\"command\":[\"relative\"]}}}"
        }) {
      policy(wrong);
      refused();
    }
    ask("sleep 60", 1);
    long start = System.nanoTime();
    refused().hasMessageContaining("no end within");
    assertThat(System.nanoTime() - start).isLessThan(20_000_000_000L);
    ask("exit 0");
    Files.delete(root.resolve("verify"));
    refused();
  }
}
