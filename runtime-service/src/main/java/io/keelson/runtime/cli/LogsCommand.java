package io.keelson.runtime.cli;

import io.keelson.proto.cri.v1.Container;
import io.keelson.runtime.cli.log.LogFile;
import io.keelson.runtime.cli.log.LogFollower;
import io.keelson.runtime.cli.log.LogPrinter;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code keelson logs}. */
@Command(
    name = "logs",
    description =
        "Prints what a container wrote: its standard output to standard output, its standard error to"
            + " standard error.")
final class LogsCommand extends ClientCommand {

  @Parameters(paramLabel = "CONTAINER", description = "A name, an id or the beginning of an id.")
  private String name = "";

  @Option(
      names = {"-f", "--follow"},
      description = "Go on until the container has ended.")
  private boolean follow;

  @Option(
      names = {"-n", "--tail"},
      paramLabel = "LINES",
      description = "Only the last lines.")
  private @Nullable Long tail;

  @Option(
      names = {"-t", "--timestamps"},
      description = "Put the time before each line.")
  private boolean timestamps;

  LogsCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int run(CriClient daemon) throws IOException, InterruptedException {
    Container container = new Lookup(daemon).container(name);
    Statuses statuses = new Statuses(daemon);
    String path = statuses.of(container.getId()).getLogPath();
    if (path.isEmpty()) {
      throw CommandException.failed(
          "container \"" + name + "\" has no log; it was made without a log path");
    }
    try (LogFile file = LogFile.open(Path.of(path))) {
      if (tail != null) {
        file.skipToLast(tail);
      }
      LogFollower log =
          new LogFollower(file, new LogPrinter(terminal().out(), terminal().err(), timestamps));
      log.printAvailable();
      if (follow) {
        log.follow(() -> statuses.isRunning(container.getId()));
      }
    } catch (NoSuchFileException e) {
      throw CommandException.notFound(
          "the log of container \"" + name + "\" is not there (any more): " + e.getFile());
    }
    return ExitCode.OK;
  }
}
