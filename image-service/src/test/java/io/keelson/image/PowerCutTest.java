package io.keelson.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.image.fixture.BrittleDisk;
import io.keelson.image.fixture.LayerTar;
import io.keelson.image.fixture.MemoryFolders;
import io.keelson.image.fixture.TestImage;
import io.keelson.image.fixture.TestRegistry;
import io.keelson.image.request.PullRequest;
import io.keelson.sandbox.error.OperationFailedException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The power goes while images are pulled and removed: what was settled is there, and nothing looks
 * whole that is not. {@code -Dkeelson.cuts=50} for many.
 */
@Timeout(value = 20, unit = TimeUnit.MINUTES)
class PowerCutTest {

  private static final int CUTS = Integer.getInteger("keelson.cuts", 5);
  private static final long SEED = Long.getLong("keelson.seed", System.nanoTime());
  private static final int FILES = 40;
  private static final int FILE = 20_000;

  @TempDir(factory = MemoryFolders.class)
  Path folder;

  private final Random random = new Random(SEED);

  @Test
  void whatIsThereAfterwardsIsWhole() throws Exception {
    TestImage lasting = image("lasting");
    TestImage passing = image("passing");
    try (BrittleDisk disk = new BrittleDisk(folder, 128 << 20);
        TestRegistry registry = new TestRegistry()) {
      String lastingName = registry.push(lasting, "lasting", "1");
      String passingName = registry.push(passing, "passing", "1");
      Path root = Files.createDirectory(disk.folder().resolve("root"));
      try (Images images = Images.open(ImageSettings.defaults(root))) {
        images.pull(PullRequest.of(lastingName));
      }
      for (int i = 0; i < CUTS; i++) {
        pullUntilTheCut(disk, root, passingName);
        disk.powerUp();
        ofAnotherBoot(root.resolve("images/layers"));
        String when = "cut %d of seed %d".formatted(i, SEED);
        try (Images images = Images.open(ImageSettings.defaults(root))) {
          assertThat(images.list()).as(when).anyMatch(image -> image.id().equals(lasting.id()));
          for (var image : images.list()) {
            assertWhole(images, image.id(), when);
          }
          assertThat(images.pull(PullRequest.of(passingName))).isEqualTo(passing.id());
          assertWhole(images, passing.id(), when);
          images.remove(passingName);
        }
      }
    }
  }

  private void pullUntilTheCut(BrittleDisk disk, Path root, String name) throws Exception {
    boolean worst = random.nextBoolean();
    long micros = random.nextInt(1_000_000);
    FutureTask<Boolean> power =
        new FutureTask<>(
            () -> {
              TimeUnit.MICROSECONDS.sleep(micros);
              if (worst) {
                bringRecordsFirst(root.resolve("images"));
              }
              disk.cut();
              return true;
            });
    Thread.ofPlatform().start(power);
    try (Images images = Images.open(ImageSettings.defaults(root))) {
      while (true) {
        images.pull(PullRequest.of(name));
        TimeUnit.MILLISECONDS.sleep(random.nextInt(100));
        images.remove(name);
      }
    } catch (IOException | OperationFailedException e) {
      power.get();
    }
  }

  /**
   * A disk may write in any order: that of an image that has just come before what they tell of.
   */
  private static void bringRecordsFirst(Path store) throws IOException {
    while (children(store.resolve("images")).size() < 2) {
      Thread.onSpinWait();
    }
    for (String kind : List.of("layers", "images")) {
      for (Path folder : children(store.resolve(kind))) {
        for (String name : List.of("layer.json", "config.json", "record.json")) {
          Path file = folder.resolve(name);
          if (Files.exists(file)) {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
              channel.force(true);
            } catch (NoSuchFileException e) {
              // Removed meanwhile.
            }
          }
        }
      }
    }
  }

  private static List<Path> children(Path folder) throws IOException {
    try (Stream<Path> children = Files.list(folder)) {
      return children.toList();
    }
  }

  private TestImage image(String name) {
    LayerTar[] layers = new LayerTar[4];
    for (int i = 0; i < layers.length; i++) {
      layers[i] = new LayerTar().folder("d/", 0755);
      for (int file = 0; file < FILES; file++) {
        byte[] noise = new byte[FILE];
        random.nextBytes(noise);
        layers[i].file("d/%s-%d-%d".formatted(name, i, file), 0644, noise, entry -> {});
        contents.put("%s-%d-%d".formatted(name, i, file), Arrays.hashCode(noise));
      }
    }
    return TestImage.of(layers);
  }

  private final Map<String, Integer> contents = new TreeMap<>();

  private void assertWhole(Images images, String id, String when) throws IOException {
    Path merged = images.provisioner().provision("c", id);
    try (Stream<Path> files = Files.list(merged.resolve("d"))) {
      List<Path> all = files.toList();
      assertThat(all).as(when).hasSize(4 * FILES);
      for (Path file : all) {
        assertThat(Arrays.hashCode(Files.readAllBytes(file)))
            .as("%s: %s", when, file)
            .isEqualTo(contents.get(file.getFileName().toString()));
      }
    } finally {
      images.provisioner().release("c");
    }
  }

  /** The machine has gone down with the power, and has another name for its new boot. */
  private static void ofAnotherBoot(Path layers) throws IOException {
    for (Path layer : children(layers)) {
      Path record = layer.resolve("layer.json");
      if (Files.exists(record)) {
        Files.writeString(
            record,
            Files.readString(record)
                .replaceFirst("\"writtenInBoot\":\"[^\"]*\"", "\"writtenInBoot\":\"another\""));
      }
    }
  }
}
