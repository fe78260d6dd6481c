package io.keelson.runtime.cli;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.keelson.runtime.config.ConfigurationException;
import io.keelson.runtime.daemon.StartException;
import io.keelson.sandbox.error.KeelsonException;
import java.io.IOException;
import java.io.UncheckedIOException;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.ParseResult;

/** Turns what a command threw into a sentence on standard error and an exit code. */
final class Failures implements IExecutionExceptionHandler {

  private final Terminal terminal;

  Failures(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public int handleExecutionException(
      Exception thrown, CommandLine command, ParseResult parseResult) {
    boolean codesAreTheWorkloads = command.getCommand() instanceof RunsWorkload;
    int code =
        switch (thrown) {
          case CommandException e -> say(e.exitCode(), text(e));
          case ConfigurationException e -> say(ExitCode.USAGE, text(e));
          case StartException e -> say(ExitCode.FAILED, text(e));
          case KeelsonException e -> say(ExitCode.FAILED, text(e));
          case StatusRuntimeException e -> say(code(e.getStatus()), sentence(e.getStatus()));
          case UncheckedIOException e -> say(ExitCode.FAILED, text(e));
          case IOException e -> say(ExitCode.FAILED, text(e));
          default -> {
            thrown.printStackTrace(terminal.err());
            yield say(ExitCode.FAILED, "defect in keelson: " + thrown);
          }
        };
    return codesAreTheWorkloads ? ExitCode.NOT_RUN : code;
  }

  private static String text(Exception e) {
    String message = e.getMessage();
    return message == null ? e.toString() : message;
  }

  private int say(int code, String message) {
    message.lines().forEach(line -> terminal.err().println("keelson: " + line));
    return code;
  }

  private static int code(Status status) {
    return switch (status.getCode()) {
      case NOT_FOUND -> ExitCode.NOT_FOUND;
      case UNAVAILABLE -> ExitCode.UNREACHABLE;
      case DEADLINE_EXCEEDED -> ExitCode.TIMED_OUT;
      case INVALID_ARGUMENT -> ExitCode.USAGE;
      default -> ExitCode.FAILED;
    };
  }

  private static String sentence(Status status) {
    String description = status.getDescription() == null ? "" : status.getDescription();
    Throwable cause = status.getCause();
    if (status.getCode() == Status.Code.UNAVAILABLE && cause instanceof IOException) {
      return "the daemon does not answer on its socket ("
          + cause.getMessage()
          + "); start it with \"keelson serve\", or name its socket with --socket";
    }
    if (status.getCode() == Status.Code.UNAVAILABLE && description.contains("not initialized")) {
      return "the daemon has just started and is not ready yet; try again in a moment";
    }
    if (status.getCode() == Status.Code.UNIMPLEMENTED && description.isEmpty()) {
      return "the daemon does not know this call; is it of the same version?";
    }
    return description.isEmpty() ? status.getCode().toString() : description;
  }
}
