package io.keelson.csi;

import io.grpc.Status;
import java.util.Optional;

/**
 * What a driver does wrong in a call.
 *
 * @param works it does what it was asked for first
 * @param answer empty for none, which its caller waits for
 * @param dies it ends after that
 */
record Misdeed(boolean works, Optional<Status> answer, boolean dies) {

  static final Misdeed HANGS = new Misdeed(false, Optional.empty(), false);
  static final Misdeed FALLS_SILENT = new Misdeed(true, Optional.empty(), false);
  static final Misdeed DIES_AFTER_WORK = new Misdeed(true, Optional.empty(), true);

  /** Nothing is done, and the answer is a success. */
  static final Misdeed LIES = refuses(Status.OK);

  static final Misdeed ABORTS = refuses(Status.ABORTED);
  static final Misdeed FORGETS = refuses(Status.NOT_FOUND);
  static final Misdeed FAILS_AFTER_WORK =
      new Misdeed(true, Optional.of(Status.INTERNAL.withDescription("on command")), false);

  static Misdeed refuses(Status status) {
    return new Misdeed(false, Optional.of(status.withDescription("on command")), false);
  }
}
