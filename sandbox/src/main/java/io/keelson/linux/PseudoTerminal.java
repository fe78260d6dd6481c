package io.keelson.linux;

import com.sun.jna.Memory;
import java.nio.file.Path;

/**
 * A pair of a pseudo terminal (pty(7)).
 *
 * @param master the side of who watches the terminal
 * @param slave the file of the side of those who run in it; it can be opened while a descriptor of
 *     the master is open
 */
public record PseudoTerminal(Fd master, Path slave) {

  private static final Path MULTIPLEXER = Path.of("/dev/ptmx");
  private static final int O_NOCTTY = 0x100;
  private static final long TIOCSPTLCK = 0x40045431;
  private static final long TIOCGPTN = 0x80045430L;
  private static final long TIOCSWINSZ = 0x5414;

  /** Makes a pair; the caller closes the master. */
  public static PseudoTerminal open() throws ErrnoException {
    Fd master = Fd.open(MULTIPLEXER, Fd.O_RDWR | O_NOCTTY, 0);
    try (Memory number = new Memory(4)) {
      number.setInt(0, 0);
      control(master.number(), TIOCSPTLCK, number, "TIOCSPTLCK");
      control(master.number(), TIOCGPTN, number, "TIOCGPTN");
      return new PseudoTerminal(master, Path.of("/dev/pts/" + number.getInt(0)));
    } catch (ErrnoException e) {
      master.close();
      throw e;
    }
  }

  /** Opens the slave so that the terminal stays alive until its users have opened it. */
  public Fd openSlave() throws ErrnoException {
    return Fd.open(slave, Fd.O_RDWR | O_NOCTTY, 0);
  }

  /** Sets the size of the window of a terminal, by a descriptor of either side. */
  static void resize(int fd, int columns, int rows) throws ErrnoException {
    try (Memory size = new Memory(8)) {
      size.setShort(0, (short) rows);
      size.setShort(2, (short) columns);
      size.setInt(4, 0);
      control(fd, TIOCSWINSZ, size, "TIOCSWINSZ, " + columns + "x" + rows);
    }
  }

  private static void control(int fd, long request, Memory argument, String name)
      throws ErrnoException {
    if (LibC.ioctl(fd, request, argument) < 0) {
      throw LibC.failure("ioctl(%d, %s)".formatted(fd, name));
    }
  }
}
