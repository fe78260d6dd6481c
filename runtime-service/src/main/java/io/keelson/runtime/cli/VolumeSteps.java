package io.keelson.runtime.cli;

import io.keelson.proto.node.v1.VolumeProgress;
import java.util.Iterator;
import java.util.function.Function;

/** Shows a call that waits for a driver. */
record VolumeSteps(Terminal terminal) {

  /** Tells of tries that failed as they come, and of the result at the end. */
  int show(Iterator<VolumeProgress> messages, Function<VolumeProgress, String> result) {
    VolumeProgress end = VolumeProgress.getDefaultInstance();
    while (messages.hasNext()) {
      end = messages.next();
      if (!end.getMessage().isEmpty()) {
        terminal
            .err()
            .println(end.getStep() + ", try " + end.getAttempt() + ": " + end.getMessage());
      }
    }
    terminal.out().println(result.apply(end));
    return ExitCode.OK;
  }
}
