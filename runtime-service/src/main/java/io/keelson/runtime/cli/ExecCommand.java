package io.keelson.runtime.cli;

import io.keelson.proto.cri.v1.Container;
import io.keelson.proto.cri.v1.ExecSyncRequest;
import io.keelson.proto.cri.v1.ExecSyncResponse;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code keelson exec}. */
@Command(
    name = "exec",
    description = {
      "Runs a command in a running container and prints what it wrote when it has ended. There is no"
          + " standard input.",
      "The exit code is the command's; 125 if it could not be run."
    })
final class ExecCommand extends ClientCommand implements RunsWorkload {

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      description = "Kill the command after so long. Default: never.")
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
  int run(CriClient daemon) throws IOException {
    Container container = new Lookup(daemon).container(name);
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
