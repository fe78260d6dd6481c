package io.keelson.runtime.cli.log;

import java.io.IOException;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Prints a log as it grows, until the workload has ended. */
public final class LogFollower {

  private static final Duration PAUSE = Duration.ofMillis(50);

  private final LogFile file;
  private final LogPrinter printer;

  public LogFollower(LogFile file, LogPrinter printer) {
    this.file = file;
    this.printer = printer;
  }

  /** Prints what is there. */
  public void printAvailable() throws IOException {
    file.readAvailable(printer::print);
    printer.flush();
  }

  /**
   * Prints until {@code running} says no, and then the rest.
   *
   * @param running asked while there is nothing to print
   */
  public void follow(BooleanSupplier running) throws IOException, InterruptedException {
    while (true) {
      boolean isRunning = running.getAsBoolean(); // first: what comes after a no is all there is
      boolean any = file.readAvailable(printer::print);
      any |= file.reopenIfRotated(printer::print);
      if (any) {
        printer.flush();
      } else if (!isRunning) {
        return;
      } else {
        Thread.sleep(PAUSE);
      }
    }
  }
}
