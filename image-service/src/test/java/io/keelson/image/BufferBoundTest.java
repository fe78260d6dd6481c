package io.keelson.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.image.fixture.LayerTar;
import io.keelson.image.fixture.MemoryFolders;
import io.keelson.image.fixture.SlowLine;
import io.keelson.image.fixture.TestImage;
import io.keelson.image.fixture.TestRegistry;
import io.keelson.image.request.PullRequest;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.management.JMException;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/** What a pull holds in memory of what has come and is not written yet. */
@Timeout(120)
@Isolated("what it counts is of the whole JVM")
class BufferBoundTest {

  private static final long BOUND = 64L << 20;
  private static final int LAYERS = 40;
  private static final int LAYER = 2_300_000;

  /** Parts of a blob, blocks on their way to the disk, and input of decompression, in bytes. */
  private static final long SEGMENT = 2L << 20;

  private static final long BLOCK = 256L << 10;

  @TempDir(factory = MemoryFolders.class)
  Path root;

  /**
   * As many layers at once as ever are by default, each of them from a slow line, so that buffers
   * fill wherever they may. Red if each download has as much memory as it likes.
   */
  @Test
  void manyLayersAtOnceShareABoundedMemory() throws Exception {
    LayerTar[] layers = new LayerTar[LAYERS];
    Random random = new Random(3);
    for (int i = 0; i < LAYERS; i++) {
      byte[] noise = new byte[LAYER];
      random.nextBytes(noise);
      layers[i] = new LayerTar().file("noise" + i, 0644, noise, entry -> {});
    }
    TestImage image = TestImage.of(TestImage.Compression.NONE, layers);
    ImageSettings settings = manyAtOnce(ImageSettings.defaults(root));
    long before = left();
    try (TestRegistry registry = new TestRegistry();
        Images images = Images.open(settings);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      String name = registry.push(image, "app", "1");
      for (String layer : image.layers()) {
        registry.on(layer, (exchange, content, number) -> SlowLine.serve(exchange, content, true));
      }
      Future<String> pull = threads.submit(() -> images.pull(PullRequest.of(name)));
      long most = 0;
      while (!pull.isDone()) {
        most = Math.max(most, buffered() - before);
        TimeUnit.MILLISECONDS.sleep(50);
      }
      assertThat(pull.get()).isEqualTo(image.id());
      assertThat(most).isBetween(BOUND / 4, BOUND);
    }
  }

  /** The most that a node with many cores begins by itself. */
  private static ImageSettings manyAtOnce(ImageSettings settings) {
    return new ImageSettings(
        settings.root(),
        settings.registries(),
        settings.pinned(),
        16,
        settings.limits(),
        settings.backend(),
        settings.keepBlobs(),
        settings.maxManifest(),
        settings.sealAfter(),
        settings.signaturePolicy());
  }

  /** What earlier tests of this JVM still hold, after a wait for it to go. */
  private static long left() throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (buffered() > 0 && System.nanoTime() < end) {
      TimeUnit.MILLISECONDS.sleep(50);
    }
    return buffered();
  }

  private static long buffered() throws JMException {
    String histogram =
        (String)
            ManagementFactory.getPlatformMBeanServer()
                .invoke(
                    new ObjectName("com.sun.management:type=DiagnosticCommand"),
                    "gcClassHistogram",
                    new Object[] {new String[0]},
                    new String[] {String[].class.getName()});
    return SEGMENT * count(histogram, "io.keelson.image.registry.Segment")
        + BLOCK * count(histogram, "io.keelson.image.pull.BlockPipe$Block");
  }

  private static long count(String histogram, String type) {
    Matcher line =
        Pattern.compile("(\\d+)\\s+\\d+\\s+" + Pattern.quote(type) + "(\\s|$)").matcher(histogram);
    return line.find() ? Long.parseLong(line.group(1)) : 0;
  }
}
