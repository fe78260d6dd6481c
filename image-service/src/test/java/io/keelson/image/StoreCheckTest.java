package io.keelson.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.image.fixture.LayerTar;
import io.keelson.image.fixture.MemoryFolders;
import io.keelson.image.fixture.TestImage;
import io.keelson.image.fixture.TestRegistry;
import io.keelson.image.reference.Digest;
import io.keelson.image.request.Cancellation;
import io.keelson.image.request.PullRequest;
import io.keelson.image.store.StoreCheck;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whether a damaged store is found out. */
class StoreCheckTest {

  @TempDir(factory = MemoryFolders.class)
  Path root;

  private final TestImage image =
      TestImage.of(
          new LayerTar().folder("etc/", 0755).file("etc/name", "lower"),
          new LayerTar().file("etc/.wh.name", "").file("etc/other", "x"));
  private TestRegistry registry;
  private Images images;

  @BeforeEach
  void open() throws Exception {
    registry = new TestRegistry();
    images = Images.open(settings().withBlobs());
    images.pull(PullRequest.of(registry.push(image, "app", "1")));
    long end = System.nanoTime() + 60_000_000_000L;
    // Layers are read again when nothing else is to be done.
    while (check().unsealed() > 0 && System.nanoTime() < end) {
      Thread.sleep(20);
    }
    assertThat(check()).isEqualTo(new StoreCheck.Report(1, 2, 0, List.of()));
  }

  private ImageSettings settings() {
    return ImageSettings.defaults(root).withSealAfter(Duration.ofMillis(50));
  }

  @AfterEach
  void close() {
    images.close();
    registry.close();
  }

  private StoreCheck.Report check() throws IOException {
    return images.check(Cancellation.never());
  }

  private Path layer(int number) {
    String chainId = images.details("" + image.id()).orElseThrow().layers().get(number).chainId();
    return root.resolve("images/layers").resolve(Digest.parse(chainId).hex());
  }

  private void found(String words) throws IOException {
    assertThat(check().findings())
        .singleElement()
        .satisfies(
            finding -> {
              assertThat(finding.problem()).contains(words);
              assertThat(finding.images()).containsExactly(image.id());
              assertThat(finding.remedy()).contains("keelson rmi " + image.id().substring(7, 19));
            });
  }

  @Test
  void eachDamageIsFound() throws IOException {
    Path file = layer(0).resolve("diff/etc/name");
    var times = Files.getLastModifiedTime(file);
    Files.writeString(file, "LOWER");
    Files.setLastModifiedTime(file, times);
    found("its files");
    Files.writeString(file, "lower");
    Files.setLastModifiedTime(file, times);
    assertThat(check().findings()).isEmpty();

    Path blob = layer(1).resolve("blob");
    byte[] content = Files.readAllBytes(blob);
    Files.write(blob, new byte[10]);
    found("blob");
    Files.write(blob, content);

    Path config =
        root.resolve("images/images").resolve(image.id().substring(7)).resolve("config.json");
    Files.writeString(config, "{}");
    found("config");

    Files.write(config, image.blob(image.id()));
    Files.delete(layer(1).resolve("diff/etc/other"));
    found("its files");
  }

  @Test
  void sealsOutliveARestart() throws IOException {
    images.close();
    images = Images.open(settings());
    assertThat(check()).isEqualTo(new StoreCheck.Report(1, 2, 0, List.of()));
    Files.createFile(layer(1).resolve("diff/etc/new"));
    found("its files");
  }
}
