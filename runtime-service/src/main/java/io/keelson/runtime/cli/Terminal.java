package io.keelson.runtime.cli;

import java.io.Console;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Where a command writes: results to {@code out}, everything else to {@code err}.
 *
 * @param interactive a person watches, so progress may be drawn over itself
 */
record Terminal(PrintStream out, PrintStream err, boolean interactive) {

  static Terminal ofProcess() {
    boolean interactive =
        Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
    return new Terminal(stream(FileDescriptor.out), stream(FileDescriptor.err), interactive);
  }

  private static PrintStream stream(FileDescriptor descriptor) {
    return new PrintStream(new FileOutputStream(descriptor), true, StandardCharsets.UTF_8);
  }
}
