package io.keelson.sandbox.port;

import java.util.Optional;

/**
 * How a root file system is to be made.
 *
 * @param owners the user namespace in whose ids the files' owners are to be taken; empty for the
 *     host's
 * @param backend the way to make it, by its name; {@code ""} for the node's usual one
 */
public record RootOptions(Optional<PodUserNamespace> owners, String backend) {

  /** Owners as they are in the image, made in the usual way. */
  public static final RootOptions USUAL = new RootOptions(Optional.empty(), "");
}
