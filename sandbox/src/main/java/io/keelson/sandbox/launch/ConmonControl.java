package io.keelson.sandbox.launch;

import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.Fd;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * Gives orders to a running conmon by its fifo: a line with a number for what, and two operands.
 */
final class ConmonControl {

  static final String REOPEN_LOG = "2 0 0\n";

  private ConmonControl() {}

  static String resizeTerminal(int columns, int rows) {
    return "1 " + rows + " " + columns + "\n";
  }

  /** False if there is no conmon (any more) that would take it. */
  static boolean order(Bundle bundle, String order) throws IOException {
    byte[] line = order.getBytes(StandardCharsets.US_ASCII);
    try (Fd control = Fd.open(bundle.control(), Fd.O_WRONLY | Fd.O_NONBLOCK, 0)) {
      control.write(line, 0, line.length);
      return true;
    } catch (ErrnoException e) {
      if (e.is(Errno.ENXIO) || e.is(Errno.ENOENT) || e.is(Errno.EPIPE)) {
        return false;
      }
      throw e;
    }
  }
}
