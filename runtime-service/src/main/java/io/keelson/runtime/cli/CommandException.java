package io.keelson.runtime.cli;

/** A command can't go on: one sentence that says what to do, and the exit code. */
final class CommandException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final int exitCode;

  CommandException(int exitCode, String message) {
    super(message);
    this.exitCode = exitCode;
  }

  static CommandException notFound(String message) {
    return new CommandException(ExitCode.NOT_FOUND, message);
  }

  static CommandException usage(String message) {
    return new CommandException(ExitCode.USAGE, message);
  }

  static CommandException failed(String message) {
    return new CommandException(ExitCode.FAILED, message);
  }

  int exitCode() {
    return exitCode;
  }
}
