package io.keelson.image.signature;

import io.keelson.image.reference.Digest;
import io.keelson.image.reference.ImageReference;
import io.keelson.linux.Commands;
import io.keelson.sandbox.error.OperationFailedException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks whether an image may be pulled. A program that decides gets two lines on standard input, the
 * image's name and the digest that the name leads to; exit code 0 accepts. What goes wrong refuses.
 * Safe for use by many threads.
 */
public final class SignatureCheck {

  /** The kubelet knows the failure by this word (cri-api, pkg/errors). */
  private static final String FAILED = "SignatureValidationFailed: ";

  private static final int MAX_OUTPUT = 64 * 1024;
  private static final int MAX_REASON = 1000;

  private static final Logger log = LoggerFactory.getLogger(SignatureCheck.class);

  private final Optional<Path> policyFile;

  /**
   * @param policyFile read at each pull; none to accept all
   */
  public SignatureCheck(Optional<Path> policyFile) {
    this.policyFile = policyFile;
  }

  /**
   * Returns if the image is accepted.
   *
   * @param digest of the manifest or index
   * @throws OperationFailedException if it is not; the message begins with {@code
   *     SignatureValidationFailed}
   */
  public void check(ImageReference reference, Digest digest) {
    if (policyFile.isEmpty()) {
      return;
    }
    SignaturePolicy policy;
    try {
      policy = SignaturePolicy.read(policyFile.get());
    } catch (IOException e) {
      throw new OperationFailedException(
          FAILED + "no image is accepted while the policy can't be read: " + e, e);
    }
    switch (policy.ruleFor(reference.repository())) {
      case SignaturePolicy.Rule.Accept _ -> {}
      case SignaturePolicy.Rule.Reject _ ->
          throw new OperationFailedException(
              FAILED + "the policy " + policyFile.get() + " accepts no image " + reference);
      case SignaturePolicy.Rule.Ask ask ->
          ask.verifiers().forEach(verifier -> ask(verifier, reference, digest));
    }
  }

  private static void ask(
      SignaturePolicy.Verifier verifier, ImageReference reference, Digest digest) {
    String question = reference + "\n" + digest + "\n";
    Commands.Output answer;
    try {
      answer =
          Commands.run(
              verifier.command(),
              Map.of("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
              question.getBytes(StandardCharsets.UTF_8),
              verifier.deadline(),
              MAX_OUTPUT);
    } catch (IOException e) {
      throw new OperationFailedException(
          FAILED + "verifier " + verifier.name() + " of image " + reference + ": " + e.getMessage(),
          e);
    }
    if (!answer.isSuccess()) {
      String said = answer.stderrText().strip();
      throw new OperationFailedException(
          FAILED
              + "verifier %s refuses image %s at %s (exit code %d)%s"
                  .formatted(
                      verifier.name(),
                      reference,
                      digest,
                      answer.exitCode(),
                      said.isEmpty()
                          ? ""
                          : ": " + said.substring(0, Math.min(said.length(), MAX_REASON))));
    }
    log.atDebug()
        .addKeyValue("image", reference)
        .addKeyValue("digest", digest)
        .addKeyValue("verifier", verifier.name())
        .log("image is accepted");
  }
}
