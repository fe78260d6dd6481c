package io.keelson.image.archive;

import io.keelson.image.fixture.BenchmarkLayer;
import io.keelson.image.fixture.TestImage.Compression;
import io.keelson.linux.inflate.IsalInflation;
import io.keelson.linux.inflate.ZlibInflation;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** What each library needs to decompress a layer. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
public class DecompressBenchmark {

  /** Which library. */
  public enum Library {
    GZIP_BY_ZLIB,
    GZIP_BY_ISAL,
    ZSTD
  }

  @Param public Library library;

  private final byte[] block = new byte[256 * 1024];
  private byte[] blob;

  @Setup
  public void open() throws IOException {
    Compression compression = library == Library.ZSTD ? Compression.ZSTD : Compression.GZIP;
    blob = BenchmarkLayer.of(compression).blob();
  }

  @Benchmark
  public long decompress() throws IOException {
    long total = 0;
    try (InputStream in = stream(new ByteArrayInputStream(blob))) {
      for (int count = in.read(block); count >= 0; count = in.read(block)) {
        total += count;
      }
    }
    return total;
  }

  private InputStream stream(InputStream source) throws IOException {
    return switch (library) {
      case GZIP_BY_ZLIB -> new GzipStream(source, new ZlibInflation());
      case GZIP_BY_ISAL -> new GzipStream(source, new IsalInflation());
      case ZSTD -> new ZstdStream(source);
    };
  }
}
