package io.keelson.image.pull;

import io.keelson.image.archive.Decompression;
import io.keelson.image.archive.LayerExtractor;
import io.keelson.image.archive.StreamFeed;
import io.keelson.image.archive.TarReader;
import io.keelson.image.archive.UnpackLimits;
import io.keelson.image.archive.UnpackedLayer;
import io.keelson.image.fixture.BenchmarkLayer;
import io.keelson.image.fixture.TestImage.Compression;
import io.keelson.image.reference.Digest;
import io.keelson.image.request.Cancellation;
import io.keelson.image.source.LayerBlob;
import io.keelson.linux.tree.Folder;
import io.keelson.linux.tree.Trees;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * What a layer costs in each stage of a pull alone, and in the pipeline that does them side by
 * side. Each thread has a layer of its own, in the folder that {@code keelson.bench} names.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
public class PipelineBenchmark {

  @Param public Compression compression;

  private final byte[] block = new byte[256 * 1024];
  private byte[] tar;
  private byte[] blob;
  private LayerBlob layer;
  private Path folder;
  private Path target;

  @Setup
  public void open() throws IOException {
    BenchmarkLayer made = BenchmarkLayer.of(compression);
    tar = made.tar();
    blob = made.blob();
    Digest digest = Digest.of(blob);
    layer = new LayerBlob(digest.toString(), digest, blob.length, Digest.of(tar));
    folder = Files.createTempDirectory(Path.of(System.getProperty("keelson.bench")), "bench");
    target = folder.resolve("layer");
  }

  @Setup(Level.Invocation)
  public void makeTarget() throws IOException {
    Files.createDirectory(target);
  }

  @TearDown(Level.Invocation)
  public void deleteTarget() throws IOException {
    try (Folder parent = Folder.open(folder)) {
      Trees.delete(parent, "layer");
    }
  }

  @TearDown
  public void close() throws IOException {
    Files.delete(folder);
  }

  @Benchmark
  public Digest digestOfTheBlob() {
    return digest(blob);
  }

  @Benchmark
  public Digest digestOfTheTar() {
    return digest(tar);
  }

  private static Digest digest(byte[] content) {
    MessageDigest computation = Digest.Algorithm.SHA256.start();
    computation.update(content);
    return Digest.Algorithm.SHA256.finish(computation);
  }

  @Benchmark
  public long decompress() throws IOException {
    long total = 0;
    try (InputStream in = Decompression.of(new ByteArrayInputStream(blob))) {
      for (int count = in.read(block); count >= 0; count = in.read(block)) {
        total += count;
      }
    }
    return total;
  }

  @Benchmark
  public UnpackedLayer untar() throws IOException {
    try (Folder root = Folder.open(target);
        LayerExtractor extractor = new LayerExtractor(root, UnpackLimits.DEFAULT, -1)) {
      return extractor.extract(new TarReader(new StreamFeed(new ByteArrayInputStream(tar))));
    }
  }

  /** What the file system takes for the bytes alone. */
  @Benchmark
  public Path writeAsOneFile() throws IOException {
    return Files.write(target.resolve("file"), tar);
  }

  @Benchmark
  public UnpackedLayer pipeline() throws IOException, InterruptedException {
    return new LayerPipeline(UnpackLimits.DEFAULT)
        .unpack(
            (any, cancellation) -> new ByteArrayInputStream(blob),
            layer,
            target,
            null,
            received -> {},
            Cancellation.never());
  }
}
