package io.keelson.linux;

import com.sun.jna.Memory;
import java.nio.file.Path;

/**
 * How much a file system can hold (statfs(2)).
 *
 * @param free bytes that are not in use, some of which may be kept for root
 * @param available bytes that are free for everybody
 * @param inodes 0 where they have no fixed number
 */
public record FileSystemSpace(long bytes, long free, long available, long inodes, long freeInodes) {

  /** Enough for struct statfs of all architectures; its first fields are alike on 64 bits. */
  private static final int STRUCT_SIZE = 256;

  /** Of the file system that the path is on; waits as long as that file system does. */
  public static FileSystemSpace of(Path path) throws ErrnoException {
    try (Memory result = new Memory(STRUCT_SIZE)) {
      if (LibC.statfs(LibC.string(path.toString()), result) < 0) {
        throw LibC.failure("statfs(\"" + path + "\")");
      }
      long blockSize = result.getLong(8);
      return new FileSystemSpace(
          result.getLong(16) * blockSize,
          result.getLong(24) * blockSize,
          result.getLong(32) * blockSize,
          result.getLong(40),
          result.getLong(48));
    }
  }
}
