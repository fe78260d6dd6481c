package io.keelson.csi.local;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** What the superblock of ext2, ext3 and ext4 says. */
final class ExtFileSystem {

  private static final int SUPERBLOCK = 1024;
  private static final int SUPERBLOCK_SIZE = 1024;
  private static final int BLOCKS_LOW = 0x4;
  private static final int LOG_BLOCK_SIZE = 0x18;
  private static final int BLOCKS_HIGH = 0x150;
  private static final int SMALLEST_BLOCK = 1024;
  private static final long UNSIGNED = 0xffff_ffffL;

  private ExtFileSystem() {}

  /** By a block at least. */
  static boolean isSmallerThanItsDevice(Path device, Path image) throws IOException {
    ByteBuffer superblock = ByteBuffer.allocate(SUPERBLOCK_SIZE).order(ByteOrder.LITTLE_ENDIAN);
    try (FileChannel channel = FileChannel.open(device, StandardOpenOption.READ)) {
      while (superblock.hasRemaining()
          && channel.read(superblock, SUPERBLOCK + superblock.position()) > 0) {
        // until it is whole
      }
    }
    long blocks =
        (superblock.getInt(BLOCKS_LOW) & UNSIGNED)
            | (superblock.getInt(BLOCKS_HIGH) & UNSIGNED) << Integer.SIZE;
    long blockSize = (long) SMALLEST_BLOCK << superblock.getInt(LOG_BLOCK_SIZE);
    return (blocks + 1) * blockSize <= Files.size(image);
  }
}
