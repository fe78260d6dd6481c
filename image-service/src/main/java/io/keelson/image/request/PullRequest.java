package io.keelson.image.request;

/**
 * What to pull, and for whom.
 *
 * @param reference a name as people write it ({@code busybox}, {@code registry:5000/team/app:1.2},
 *     {@code name@sha256:…}); without tag and digest it means {@code latest}
 * @param credentials for the registry
 * @param progress hears how it goes on
 * @param cancellation ends the work when its caller has gone
 */
public record PullRequest(
    String reference,
    RegistryCredentials credentials,
    PullProgress progress,
    Cancellation cancellation) {

  /** An anonymous pull that nobody watches. */
  public static PullRequest of(String reference) {
    return new PullRequest(
        reference, RegistryCredentials.ANONYMOUS, PullProgress.NONE, Cancellation.never());
  }
}
