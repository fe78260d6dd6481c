package io.keelson.image.pull;

import io.keelson.image.reference.Digest;
import io.keelson.image.source.CorruptContentException;
import io.keelson.image.source.LayerBlob;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A blob on its way: counts it, refuses the first byte too many, and knows at its end whether it
 * was what its descriptor says. For one thread.
 */
final class VerifiedStream extends InputStream {

  private final InputStream source;
  private final OutputStream copy;
  private final LayerBlob blob;
  private final @Nullable MessageDigest computation;
  private final LongConsumer progress;
  private long received;

  /**
   * @param copy gets every byte too; it is the caller's
   */
  VerifiedStream(InputStream source, LayerBlob blob, OutputStream copy, LongConsumer progress) {
    this.source = source;
    this.copy = copy;
    this.blob = blob;
    this.progress = progress;
    this.computation = blob.digest() == null ? null : blob.digest().algorithm().start();
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    int count = source.read(target, offset, length);
    if (count <= 0) {
      return count;
    }
    received += count;
    if (blob.size() >= 0 && received > blob.size()) {
      throw new CorruptContentException(
          "layer %s is longer than the %d bytes that the manifest says"
              .formatted(blob.label(), blob.size()));
    }
    if (computation != null) {
      computation.update(target, offset, count);
    }
    copy.write(target, offset, count);
    progress.accept(received);
    return count;
  }

  /**
   * Reads what is left and compares.
   *
   * @throws CorruptContentException if size or digest are others
   */
  void verify() throws IOException {
    byte[] rest = new byte[8192];
    while (read(rest, 0, rest.length) >= 0) {
      // What follows the end of the compressed data counts too.
    }
    if (blob.size() >= 0 && received != blob.size()) {
      throw new CorruptContentException(
          "layer %s has %d bytes and not the %d that the manifest says"
              .formatted(blob.label(), received, blob.size()));
    }
    if (computation != null && blob.digest() != null) {
      Digest actual = blob.digest().algorithm().finish(computation);
      if (!actual.equals(blob.digest())) {
        throw new CorruptContentException(
            "layer %s came with the digest %s".formatted(blob.label(), actual));
      }
    }
  }

  @Override
  public void close() throws IOException {
    source.close();
  }
}
