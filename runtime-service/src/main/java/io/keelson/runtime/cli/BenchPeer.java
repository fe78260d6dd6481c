package io.keelson.runtime.cli;

import java.nio.file.Path;

/**
 * A runtime that takes part in a benchmark: any that serves CRI v1 on a unix socket and has the
 * image.
 *
 * @param name in the table
 * @param handler its runtime handler, empty for its default one
 * @param image what its containers run
 */
record BenchPeer(String name, String handler, String image, CriClient client) {

  /**
   * Connects to a runtime that is named on the command line.
   *
   * @param argument {@code NAME[/HANDLER]=SOCKET=IMAGE}
   */
  static BenchPeer parse(String argument) {
    String[] parts = argument.split("=", 3);
    if (parts.length != 3) {
      throw new CommandException(
          ExitCode.USAGE, "\"" + argument + "\" is not NAME[/HANDLER]=SOCKET=IMAGE");
    }
    int slash = parts[0].indexOf('/');
    return new BenchPeer(
        parts[0],
        slash < 0 ? "" : parts[0].substring(slash + 1),
        parts[2],
        CriClient.connect(Path.of(parts[1])));
  }
}
