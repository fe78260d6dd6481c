package io.keelson.image.source;

import io.keelson.image.reference.Digest;
import io.keelson.image.request.Cancellation;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.security.MessageDigest;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** A tar that is written as it is read. */
final class TarStream {

  private static final int BUFFER = 512 * 1024;

  private TarStream() {}

  /** Writes the whole tar; the same one every time. */
  @FunctionalInterface
  interface Writer {
    void write(OutputStream out, Runnable check) throws IOException;
  }

  /** The digest of what will come. */
  static Digest digest(Writer writer, Cancellation cancellation) throws IOException {
    MessageDigest computation = Digest.Algorithm.SHA256.start();
    writer.write(
        new OutputStream() {
          @Override
          public void write(int value) {
            computation.update((byte) value);
          }

          @Override
          public void write(byte[] data, int offset, int length) {
            computation.update(data, offset, length);
          }
        },
        cancellation::check);
    return Digest.Algorithm.SHA256.finish(computation);
  }

  /**
   * Copies all.
   *
   * @param check comes before each block, and ends the work by what it throws
   */
  static void copy(InputStream in, OutputStream out, Runnable check) throws IOException {
    byte[] block = new byte[256 * 1024];
    for (int count = in.read(block); count >= 0; count = in.read(block)) {
      check.run();
      out.write(block, 0, count);
    }
  }

  /** The tar as a stream; a failure to write it is a failure to read it. */
  static InputStream open(Writer writer, Cancellation cancellation) throws IOException {
    AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
    PipedOutputStream out = new PipedOutputStream();
    InputStream in =
        new PipedInputStream(out, BUFFER) {
          @Override
          public synchronized int read(byte[] target, int offset, int length) throws IOException {
            int count = super.read(target, offset, length);
            Exception thrown = failure.get();
            if (count < 0 && thrown != null) {
              throw new IOException(thrown.getMessage(), thrown);
            }
            return count;
          }
        };
    // It reads files and does nothing else, which would hold up a virtual thread's carrier.
    Thread.ofPlatform()
        .daemon()
        .name("image-tar")
        .start(
            () -> {
              try (out) {
                try {
                  writer.write(out, cancellation::check);
                } catch (IOException | RuntimeException e) {
                  failure.set(e);
                }
              } catch (IOException e) {
                failure.compareAndSet(null, e);
              }
            });
    return in;
  }
}
