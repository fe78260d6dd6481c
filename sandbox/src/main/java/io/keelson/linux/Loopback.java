package io.keelson.linux;

import com.sun.jna.Memory;
import java.nio.charset.StandardCharsets;

/** The loopback interface of the calling thread's network namespace. */
final class Loopback {

  private static final int AF_INET = 2;
  private static final int SOCK_DGRAM = 2;
  private static final long SIOCGIFFLAGS = 0x8913;
  private static final long SIOCSIFFLAGS = 0x8914;
  private static final int IFREQ_SIZE = 40;
  private static final int FLAGS_OFFSET = 16;
  private static final short IFF_UP = 1;

  private Loopback() {}

  /** Sets it up; the kernel gives it 127.0.0.1 and ::1 by itself. */
  static void up() throws ErrnoException {
    int number = LibC.socket(AF_INET, SOCK_DGRAM | LibC.O_CLOEXEC, 0);
    if (number < 0) {
      throw LibC.failure("socket(AF_INET, SOCK_DGRAM)");
    }
    try (Fd socket = Fd.adopt(number);
        Memory request = new Memory(IFREQ_SIZE)) {
      request.clear();
      request.write(0, "lo".getBytes(StandardCharsets.US_ASCII), 0, 2);
      if (LibC.ioctl(socket.number(), SIOCGIFFLAGS, request) < 0) {
        throw LibC.failure("ioctl(SIOCGIFFLAGS, lo)");
      }
      request.setShort(FLAGS_OFFSET, (short) (request.getShort(FLAGS_OFFSET) | IFF_UP));
      if (LibC.ioctl(socket.number(), SIOCSIFFLAGS, request) < 0) {
        throw LibC.failure("ioctl(SIOCSIFFLAGS, lo, IFF_UP)");
      }
    }
  }
}
