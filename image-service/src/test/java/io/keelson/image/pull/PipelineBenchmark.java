package io.keelson.image.pull;

import com.sun.management.OperatingSystemMXBean;
import io.keelson.image.Cancellation;
import io.keelson.image.UnpackLimits;
import io.keelson.image.archive.Decompression;
import io.keelson.image.archive.LayerExtractor;
import io.keelson.image.archive.StreamFeed;
import io.keelson.image.archive.TarReader;
import io.keelson.image.fixture.LayerTar;
import io.keelson.image.fixture.TestImage;
import io.keelson.image.reference.Digest;
import io.keelson.image.source.LayerBlob;
import io.keelson.linux.tree.Folder;
import io.keelson.linux.tree.Trees;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * What a layer costs in each of its stages alone and in the pipeline that runs them side by side:
 * medians of time and of processor time. Run by hand on the test classpath of this module, with a
 * folder on the disk that is meant: {@code java -cp ... io.keelson.image.pull.PipelineBenchmark
 * FOLDER}.
 */
final class PipelineBenchmark {

  private static final int ROUNDS = 9;
  private static final int FILES = 1500;
  private static final OperatingSystemMXBean SYSTEM =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

  private final Path folder;
  private final byte[] tar;
  private final TestImage.Compression compression;
  private final byte[] blob;

  private record Took(long nanos, long processor) {}

  @FunctionalInterface
  private interface Stage {
    void run() throws Exception;
  }

  private PipelineBenchmark(Path folder, byte[] tar, TestImage.Compression compression) {
    this.folder = folder;
    this.tar = tar;
    this.compression = compression;
    this.blob = TestImage.compress(tar, compression);
  }

  /**
   * @param arguments a folder that can be written
   */
  public static void main(String[] arguments) throws Exception {
    byte[] tar = tar();
    for (TestImage.Compression compression : TestImage.Compression.values()) {
      new PipelineBenchmark(Path.of(arguments[0]), tar, compression).run();
    }
  }

  /** Files of all sizes that compress by a half, as programs do. */
  private static byte[] tar() {
    Random random = new Random(5);
    LayerTar tar = new LayerTar().folder("d/", 0755);
    for (int i = 0; i < FILES; i++) {
      byte[] content = new byte[1 << (8 + random.nextInt(11))];
      for (int at = 0; at < content.length; at++) {
        content[at] = (byte) (at % 64 < 32 ? random.nextInt() : at);
      }
      tar.file("d/" + i, 0644, content, entry -> {});
    }
    return tar.bytes();
  }

  private void run() throws Exception {
    Map<String, Stage> stages = new LinkedHashMap<>();
    stages.put("digest of the blob", () -> digest(blob));
    stages.put("decompress", this::decompress);
    stages.put("digest of the tar", () -> digest(tar));
    stages.put("untar", this::untar);
    stages.put("write as one file", this::write);
    stages.put("pipeline", this::pipeline);
    Map<String, List<Took>> took = new LinkedHashMap<>();
    // In turns, so that what else the machine does hits all alike; the first round only warms up.
    for (int round = 0; round <= ROUNDS; round++) {
      for (Map.Entry<String, Stage> stage : stages.entrySet()) {
        Took one = measure(stage.getValue());
        if (round > 0) {
          took.computeIfAbsent(stage.getKey(), any -> new ArrayList<>()).add(one);
        }
      }
    }
    System.out.printf(
        "%s: blob %d MB, tar %d MB, %d files, load %.1f%n",
        compression, blob.length >> 20, tar.length >> 20, FILES, SYSTEM.getSystemLoadAverage());
    took.forEach(PipelineBenchmark::print);
  }

  private static void print(String stage, List<Took> took) {
    System.out.printf(
        "  %-20s %6.0f ms, processor %6.0f ms%n",
        stage,
        median(took.stream().map(Took::nanos).toList()) / 1e6,
        median(took.stream().map(Took::processor).toList()) / 1e6);
  }

  private static long median(List<Long> values) {
    return values.stream().sorted(Comparator.naturalOrder()).toList().get(values.size() / 2);
  }

  private Took measure(Stage stage) throws Exception {
    Files.createDirectory(folder.resolve("layer"));
    long processor = SYSTEM.getProcessCpuTime();
    long began = System.nanoTime();
    stage.run();
    Took took = new Took(System.nanoTime() - began, SYSTEM.getProcessCpuTime() - processor);
    try (Folder parent = Folder.open(folder)) {
      Trees.delete(parent, "layer");
    }
    return took;
  }

  private static void digest(byte[] content) {
    MessageDigest computation = Digest.Algorithm.SHA256.start();
    computation.update(content);
    Digest.Algorithm.SHA256.finish(computation);
  }

  private void decompress() throws Exception {
    byte[] block = new byte[256 * 1024];
    try (InputStream in = Decompression.of(new ByteArrayInputStream(blob))) {
      while (in.read(block) >= 0) {
        // Nothing is done with it.
      }
    }
  }

  private void untar() throws Exception {
    try (Folder root = Folder.open(folder.resolve("layer"));
        LayerExtractor extractor = new LayerExtractor(root, UnpackLimits.DEFAULT, -1)) {
      extractor.extract(new TarReader(new StreamFeed(new ByteArrayInputStream(tar))));
    }
  }

  private void write() throws Exception {
    Files.write(folder.resolve("layer/file"), tar);
  }

  private void pipeline() throws Exception {
    Digest digest = Digest.of(blob);
    LayerBlob layer = new LayerBlob(digest.toString(), digest, blob.length, Digest.of(tar));
    new LayerPipeline(UnpackLimits.DEFAULT)
        .unpack(
            (any, cancellation) -> new ByteArrayInputStream(blob),
            layer,
            folder.resolve("layer"),
            null,
            received -> {},
            Cancellation.never());
  }
}
