package io.keelson.sandbox.port;

import java.util.Optional;

/**
 * How a root file system is to be made.
 *
 * @param owners the user namespace in whose ids the files' owners are to be taken; empty for the
 *     host's
 * @param backend the way to make it, by its name; {@code ""} for the node's usual one
 * @param fileLabel the SELinux label that all its files show; {@code ""} for none
 */
public record RootOptions(Optional<PodUserNamespace> owners, String backend, String fileLabel) {

  /** Owners as they are in the image, made in the usual way. */
  public static final RootOptions USUAL = new RootOptions(Optional.empty(), "", "");

  /** The same with a label. */
  public RootOptions withFileLabel(String label) {
    return new RootOptions(owners, backend, label);
  }
}
