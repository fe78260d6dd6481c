package io.keelson.image.archive;

import java.io.IOException;
import java.io.InputStream;

/** The bytes of a stream. Closing the stream is the caller's. */
public final class StreamFeed extends ByteFeed {

  private final InputStream stream;
  private final byte[] buffer = new byte[64 * 1024];

  public StreamFeed(InputStream stream) {
    this.stream = stream;
  }

  @Override
  protected boolean refill() throws IOException {
    int count = stream.read(buffer);
    if (count <= 0) {
      return false;
    }
    setBlock(buffer, 0, count);
    return true;
  }
}
