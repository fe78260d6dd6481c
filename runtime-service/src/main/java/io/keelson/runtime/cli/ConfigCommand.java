package io.keelson.runtime.cli;

import io.keelson.runtime.config.DefaultConfiguration;
import picocli.CommandLine.Command;

/** {@code keelson config}. */
@Command(name = "config", description = "The daemon's configuration.")
final class ConfigCommand {

  private final Terminal terminal;

  ConfigCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Command(
      name = "default",
      description = "Prints the default configuration with comments, for /etc/keelson/config.toml.")
  int printDefault() {
    terminal.out().print(DefaultConfiguration.toml());
    return ExitCode.OK;
  }
}
