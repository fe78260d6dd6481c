package io.keelson.sandbox.port;

import java.io.IOException;

/** A command that was started in a container, and its streams. */
public interface ExecSession extends ProcessStreams {

  /**
   * Which streams a command is to have; of the others the input is empty, and output goes nowhere.
   *
   * @param terminal it runs in a terminal of its own, and has no standard error apart from it
   */
  record Wanted(boolean stdin, boolean stdout, boolean stderr, boolean terminal) {}

  /**
   * Waits for the end of the command. Its output ends soon after, even if a process that it left
   * behind has it open.
   *
   * @return the exit code, or 128 and the signal that ended it
   * @throws io.keelson.sandbox.error.OperationFailedException if it could not be run
   */
  int await() throws IOException;
}
