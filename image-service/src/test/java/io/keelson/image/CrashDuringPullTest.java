package io.keelson.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.image.fixture.LayerTar;
import io.keelson.image.fixture.TestImage;
import io.keelson.image.fixture.TestRegistry;
import io.keelson.image.request.PullRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A process that is killed in the middle of a pull, perhaps one of a registry that has gone away,
 * leaves nothing that looks whole and is not, and nothing that stays. {@code -Dkeelson.crashes=50}
 * for many.
 */
class CrashDuringPullTest {

  private static final int CRASHES = Integer.getInteger("keelson.crashes", 6);
  private static final long SEED = Long.getLong("keelson.seed", System.nanoTime());

  @TempDir Path folder;

  /** The process that is killed: pulls the image again and again. */
  static final class Puller {

    private Puller() {}

    public static void main(String[] arguments) throws IOException {
      // Started ahead of its time, while another is looked at.
      System.in.read();
      try (Images images = Images.open(ImageSettings.defaults(Path.of(arguments[0])))) {
        System.out.println("open");
        System.out.flush();
        while (true) {
          images.pull(PullRequest.of(arguments[1]));
          images.remove(arguments[1]);
        }
      }
    }
  }

  @Test
  void theNextStartIsCleanAndTheNextPullSucceeds() throws Exception {
    Random random = new Random(SEED);
    TestImage image = image(random);
    Path root = folder.resolve("store");
    AtomicBoolean away = new AtomicBoolean();
    try (TestRegistry registry = new TestRegistry()) {
      registry.gate(
          exchange -> {
            if (away.get()) {
              throw new IOException("the registry is away");
            }
            return true;
          });
      String reference = registry.push(image, "app", "1");
      Process next = start(root, reference);
      try {
        for (int crash = 0; crash < CRASHES; crash++) {
          Process process = next;
          next = start(root, reference);
          try {
            process.getOutputStream().close();
            assertThat(process.getInputStream().read()).isEqualTo('o');
            TimeUnit.MICROSECONDS.sleep(random.nextInt(400_000));
            if (random.nextBoolean()) {
              away.set(true);
              TimeUnit.MICROSECONDS.sleep(random.nextInt(100_000));
            }
          } finally {
            process.destroyForcibly().waitFor();
          }
          away.set(false);
          check(root, image, reference, "crash " + crash + " of seed " + SEED);
        }
      } finally {
        next.destroyForcibly().waitFor();
      }
    }
  }

  private static TestImage image(Random random) {
    LayerTar[] layers = new LayerTar[6];
    for (int i = 0; i < layers.length; i++) {
      layers[i] = new LayerTar().folder("d/", 0755);
      for (int file = 0; file < 60; file++) {
        byte[] noise = new byte[20_000];
        random.nextBytes(noise);
        layers[i].file("d/" + i + "-" + file, 0644, noise, entry -> {});
      }
    }
    return TestImage.of(layers);
  }

  private static Process start(Path root, String reference) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-cp",
            System.getProperty("java.class.path"),
            Puller.class.getName(),
            root.toString(),
            reference)
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  private static void check(Path root, TestImage image, String reference, String when)
      throws Exception {
    try (Images images = Images.open(ImageSettings.defaults(root))) {
      Path store = root.resolve("images");
      boolean whole = !images.list().isEmpty();
      assertThat(names(store.resolve("images"))).as(when).hasSize(whole ? 1 : 0);
      assertThat(names(store.resolve("layers"))).as(when).hasSize(whole ? 6 : 0);
      assertThat(names(store.resolve("ingest"))).as(when).isEmpty();
      assertThat(images.pull(PullRequest.of(reference))).as(when).isEqualTo(image.id());
      Path merged = images.provisioner().provision("c", image.id());
      try {
        assertThat(names(merged.resolve("d"))).as(when).hasSize(360);
        for (String name : names(merged.resolve("d"))) {
          assertThat(merged.resolve("d").resolve(name)).as(when).hasSize(20_000);
        }
      } finally {
        images.provisioner().release("c");
      }
      images.remove(reference);
      long end = System.nanoTime() + 20_000_000_000L;
      while (!names(store.resolve("trash")).isEmpty() && System.nanoTime() < end) {
        Thread.sleep(5);
      }
      assertThat(names(store.resolve("trash"))).as(when).isEmpty();
    }
  }

  private static List<String> names(Path folder) throws IOException {
    List<String> names = new ArrayList<>();
    try (Stream<Path> entries = Files.list(folder)) {
      entries.forEach(entry -> names.add(entry.getFileName().toString()));
    }
    return names;
  }
}
