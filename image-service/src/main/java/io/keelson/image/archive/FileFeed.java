package io.keelson.image.archive;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;

/** The bytes of a file; what is skipped is not read. The channel is the caller's. */
final class FileFeed extends ByteFeed {

  private final SeekableByteChannel channel;
  private final byte[] buffer = new byte[64 * 1024];

  FileFeed(SeekableByteChannel channel) {
    this.channel = channel;
  }

  @Override
  protected boolean refill() throws IOException {
    int count = channel.read(ByteBuffer.wrap(buffer));
    if (count <= 0) {
      return false;
    }
    setBlock(buffer, 0, count);
    return true;
  }

  /** Where in the file the next byte is. */
  long position() throws IOException {
    return channel.position() - buffered();
  }

  @Override
  void skip(long count) throws IOException {
    if (count <= buffered()) {
      super.skip(count);
      return;
    }
    long target = position() + count;
    if (target < 0 || target > channel.size()) {
      throw new EOFException("the archive ends before the end of a file");
    }
    channel.position(target);
    setBlock(buffer, 0, 0);
  }
}
