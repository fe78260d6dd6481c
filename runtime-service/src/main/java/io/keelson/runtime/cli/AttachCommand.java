package io.keelson.runtime.cli;

import io.keelson.proto.cri.v1.AttachRequest;
import io.keelson.proto.cri.v1.Container;
import io.keelson.runtime.cli.stream.CommandStream;
import java.io.IOException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code keelson attach}. */
@Command(
    name = "attach",
    description = {
      "Shows what a running container writes from now on, and with -i hands it what is typed.",
      "The container goes on when this ends; it must have been made with standard input for -i."
    })
final class AttachCommand extends ClientCommand {

  @Option(
      names = {"-i", "--interactive"},
      description = "Standard input, too.")
  private boolean interactive;

  @Option(
      names = {"-t", "--tty"},
      description = "The container has a terminal.")
  private boolean tty;

  @Parameters(
      index = "0",
      paramLabel = "CONTAINER",
      description = "A name, an id or the beginning of an id.")
  private String name = "";

  AttachCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int run(CriClient daemon) throws IOException, InterruptedException {
    Container container = new Lookup(daemon).container(name);
    String url =
        daemon
            .runtime()
            .attach(
                AttachRequest.newBuilder()
                    .setContainerId(container.getId())
                    .setStdin(interactive)
                    .setStdout(true)
                    .setStderr(!tty)
                    .setTty(tty)
                    .build())
            .getUrl();
    return CommandStream.of(interactive, terminal().out(), terminal().err(), tty).run(url);
  }
}
