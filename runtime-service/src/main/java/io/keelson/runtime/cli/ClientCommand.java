package io.keelson.runtime.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;

/** A command that talks to the daemon. */
abstract class ClientCommand implements Callable<Integer> {

  @Mixin private final ClientOptions client = new ClientOptions();

  private final Terminal terminal;

  ClientCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public final Integer call() throws Exception {
    try (CriClient connection = client.connect()) {
      return run(connection);
    }
  }

  /** Does the work and gives the exit code. */
  abstract int run(CriClient daemon) throws Exception;

  final Terminal terminal() {
    return terminal;
  }
}
