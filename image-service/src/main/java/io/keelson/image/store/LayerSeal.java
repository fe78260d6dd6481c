package io.keelson.image.store;

import io.keelson.image.archive.FolderTar;
import io.keelson.image.reference.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;

/** Digests of what lies on the disk. */
final class LayerSeal {

  private LayerSeal() {}

  /**
   * Of all that a layer is: names, content, owners, modes, times and attributes.
   *
   * @param check comes before each file, and ends the work by what it throws
   */
  static Digest of(Path content, Runnable check) throws IOException {
    MessageDigest computation = Digest.Algorithm.SHA256.start();
    FolderTar.writeLayer(content, new Sink(computation), check);
    return Digest.Algorithm.SHA256.finish(computation);
  }

  /** Of a file, by the algorithm that is expected. */
  static Digest ofFile(Path file, Digest.Algorithm algorithm, Runnable check) throws IOException {
    MessageDigest computation = algorithm.start();
    byte[] block = new byte[256 * 1024];
    try (InputStream in = Files.newInputStream(file)) {
      for (int count = in.read(block); count >= 0; count = in.read(block)) {
        check.run();
        computation.update(block, 0, count);
      }
    }
    return algorithm.finish(computation);
  }

  private static final class Sink extends OutputStream {

    private final MessageDigest computation;

    Sink(MessageDigest computation) {
      this.computation = computation;
    }

    @Override
    public void write(int value) {
      computation.update((byte) value);
    }

    @Override
    public void write(byte[] data, int offset, int length) {
      computation.update(data, offset, length);
    }
  }
}
