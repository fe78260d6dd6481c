package io.keelson.runtime.cli;

import io.keelson.proto.cri.v1.VersionRequest;
import io.keelson.proto.cri.v1.VersionResponse;
import io.keelson.runtime.ProductVersion;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code keelson version}. */
@Command(name = "version", description = "Prints the versions of this command and of the daemon.")
final class VersionCommand implements Callable<Integer> {

  @Mixin private final ClientOptions client = new ClientOptions();

  @Option(names = "--client", description = "Only that of this command.")
  private boolean clientOnly;

  private final Terminal terminal;

  VersionCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws Exception {
    terminal.out().println("keelson " + ProductVersion.current());
    if (!clientOnly) {
      try (CriClient daemon = client.connect()) {
        VersionResponse version = daemon.runtime().version(VersionRequest.getDefaultInstance());
        terminal
            .out()
            .println(
                "daemon: "
                    + version.getRuntimeName()
                    + " "
                    + version.getRuntimeVersion()
                    + ", CRI "
                    + version.getRuntimeApiVersion());
      }
    }
    return ExitCode.OK;
  }
}
