package io.keelson.linux.tree;

import com.sun.jna.Native;
import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.Fd;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a file holds data; all else in it are holes, which take no disk and read as zeros
 * (lseek(2), SEEK_DATA). A file system that knows no holes tells of one range.
 */
public final class DataRanges {

  private static final int SEEK_DATA = 3;
  private static final int SEEK_HOLE = 4;

  private DataRanges() {}

  /**
   * Bytes of a file.
   *
   * @param end the first byte behind it
   */
  public record Range(long begin, long end) {}

  /** In the order of their offsets, and none touches another. */
  public static List<Range> of(Path file) throws ErrnoException {
    List<Range> ranges = new ArrayList<>();
    try (Fd fd = Fd.open(file, Fd.O_RDONLY, 0)) {
      long at = 0;
      while (true) {
        long begin = TreeCalls.lseek(fd.number(), at, SEEK_DATA);
        if (begin < 0 && Native.getLastError() == Errno.ENXIO) {
          return ranges;
        }
        long end = begin < 0 ? begin : TreeCalls.lseek(fd.number(), begin, SEEK_HOLE);
        if (end < 0) {
          throw TreeCalls.failure("lseek(\"" + file + "\")");
        }
        ranges.add(new Range(begin, end));
        at = end;
      }
    }
  }
}
