package io.keelson.linux;

import com.sun.jna.Memory;
import java.util.Optional;

/**
 * The terminal that is this process' standard input (termios(3)), while each key is handed on as it
 * is typed. Closing it sets the terminal back.
 */
public final class TerminalMode implements AutoCloseable {

  private static final int STDIN = 0;
  private static final long TCGETS = 0x5401;
  private static final long TCSETS = 0x5402;
  private static final long TIOCGWINSZ = 0x5413;

  private static final int SIZE = 64; // struct termios of the kernel has 36 bytes
  private static final int C_CC = 17;
  private static final int VTIME = 5;
  private static final int VMIN = 6;

  // cfmakeraw(3)
  private static final int IFLAGS = 01 | 02 | 010 | 040 | 0100 | 0200 | 0400 | 02000;
  private static final int OPOST = 01;
  private static final int LFLAGS = 010 | 0100 | 02 | 01 | 0100000;
  private static final int CSIZE_PARENB = 060 | 0400;
  private static final int CS8 = 060;

  private final byte[] before;

  private TerminalMode(byte[] before) {
    this.before = before;
  }

  /**
   * The size of a window.
   *
   * @param columns not 0, as {@code rows}
   */
  public record Size(int columns, int rows) {}

  /** Makes standard input raw; empty if it is no terminal. */
  public static Optional<TerminalMode> raw() throws ErrnoException {
    try (Memory termios = new Memory(SIZE)) {
      if (LibC.ioctl(STDIN, TCGETS, termios) < 0) {
        return Optional.empty();
      }
      TerminalMode mode = new TerminalMode(termios.getByteArray(0, SIZE));
      termios.setInt(0, termios.getInt(0) & ~IFLAGS);
      termios.setInt(4, termios.getInt(4) & ~OPOST);
      termios.setInt(8, (termios.getInt(8) & ~CSIZE_PARENB) | CS8);
      termios.setInt(12, termios.getInt(12) & ~LFLAGS);
      termios.setByte(C_CC + VMIN, (byte) 1);
      termios.setByte(C_CC + VTIME, (byte) 0);
      set(termios);
      return Optional.of(mode);
    }
  }

  /** The size of the window; empty if standard input is no terminal or its size is unknown. */
  public static Optional<Size> size() {
    try (Memory size = new Memory(8)) {
      if (LibC.ioctl(STDIN, TIOCGWINSZ, size) < 0) {
        return Optional.empty();
      }
      int rows = size.getShort(0) & 0xffff;
      int columns = size.getShort(2) & 0xffff;
      return rows == 0 || columns == 0 ? Optional.empty() : Optional.of(new Size(columns, rows));
    }
  }

  @Override
  public void close() throws ErrnoException {
    try (Memory termios = new Memory(SIZE)) {
      termios.write(0, before, 0, SIZE);
      set(termios);
    }
  }

  private static void set(Memory termios) throws ErrnoException {
    if (LibC.ioctl(STDIN, TCSETS, termios) < 0) {
      throw LibC.failure("ioctl(0, TCSETS)");
    }
  }
}
