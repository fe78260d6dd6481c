package io.keelson.runtime.cli;

import io.keelson.proto.cri.v1.Container;
import io.keelson.proto.cri.v1.ExecRequest;
import io.keelson.proto.cri.v1.ExecSyncRequest;
import io.keelson.proto.cri.v1.ExecSyncResponse;
import io.keelson.runtime.cli.stream.CommandStream;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code keelson exec}. */
@Command(
    name = "exec",
    description = {
      "Runs a command in a running container and shows what it writes; -it gives it a terminal.",
      "The exit code is the command's; 125 if it could not be run."
    })
final class ExecCommand extends ClientCommand implements RunsWorkload {

  @Option(
      names = {"-i", "--interactive"},
      description = "Standard input, too.")
  private boolean interactive;

  @Option(
      names = {"-t", "--tty"},
      description = "Run the command in a terminal.")
  private boolean tty;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      description =
          "Kill the command after so long and print what it wrote then; not with -i or -t. Default:"
              + " never.")
  private long timeout;

  @Parameters(
      index = "0",
      paramLabel = "CONTAINER",
      description = "A name, an id or the beginning of an id.")
  private String name = "";

  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "COMMAND",
      description = "With arguments.")
  private List<String> command = List.of();

  ExecCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int run(CriClient daemon) throws IOException, InterruptedException {
    if (timeout != 0 && (interactive || tty)) {
      throw CommandException.usage("--timeout can't be given with -i or -t");
    }
    Container container = new Lookup(daemon).container(name);
    return timeout == 0 ? stream(daemon, container) : sync(daemon, container);
  }

  private int stream(CriClient daemon, Container container)
      throws IOException, InterruptedException {
    String url =
        daemon
            .runtime()
            .exec(
                ExecRequest.newBuilder()
                    .setContainerId(container.getId())
                    .addAllCmd(command)
                    .setStdin(interactive)
                    .setStdout(true)
                    .setStderr(!tty)
                    .setTty(tty)
                    .build())
            .getUrl();
    return CommandStream.of(interactive, terminal().out(), terminal().err(), tty).run(url);
  }

  private int sync(CriClient daemon, Container container) throws IOException {
    ExecSyncResponse response =
        daemon
            .runtime()
            .execSync(
                ExecSyncRequest.newBuilder()
                    .setContainerId(container.getId())
                    .addAllCmd(command)
                    .setTimeout(timeout)
                    .build());
    response.getStdout().writeTo(terminal().out());
    response.getStderr().writeTo(terminal().err());
    terminal().out().flush();
    terminal().err().flush();
    return response.getExitCode();
  }
}
