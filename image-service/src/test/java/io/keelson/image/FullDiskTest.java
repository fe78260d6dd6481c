package io.keelson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.image.fixture.LayerTar;
import io.keelson.image.fixture.MemoryFolders;
import io.keelson.image.fixture.TestImage;
import io.keelson.image.fixture.TestRegistry;
import io.keelson.image.request.PullRequest;
import io.keelson.linux.Mounts;
import io.keelson.sandbox.error.ResourceExhaustedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A store on a file system that is too small. */
class FullDiskTest {

  @TempDir(factory = MemoryFolders.class)
  Path folder;

  @Test
  void fullDiskIsToldLeavesNothingAndIsGotOver() throws Exception {
    byte[] noise = new byte[6 << 20];
    new Random(3).nextBytes(noise);
    TestImage large =
        TestImage.of(
            new LayerTar().file("small", "x"),
            new LayerTar().file("noise", 0644, noise, entry -> {}));
    TestImage small = TestImage.of(new LayerTar().file("small", "x"));
    Path disk = Files.createDirectory(folder.resolve("disk"));
    Mounts.mount("tmpfs", disk, "tmpfs", 0, "size=5m");
    try (TestRegistry registry = new TestRegistry();
        Images images = Images.open(ImageSettings.defaults(disk))) {
      String largeName = registry.push(large, "large", "1");
      assertThatThrownBy(() -> images.pull(PullRequest.of(largeName)))
          .isInstanceOf(ResourceExhaustedException.class)
          .hasMessageContaining("full");
      assertThat(images.list()).isEmpty();
      for (String part : new String[] {"layers", "ingest", "images"}) {
        assertThat(disk.resolve("images").resolve(part)).isEmptyDirectory();
      }
      // On a busy machine the deletion may outlast the patience of the pull.
      Path trash = disk.resolve("images/trash");
      long end = System.nanoTime() + 20_000_000_000L;
      while (trash.toFile().list().length > 0 && System.nanoTime() < end) {
        Thread.sleep(5);
      }
      assertThat(trash).isEmptyDirectory();

      images.pull(PullRequest.of(registry.push(small, "small", "1")));
      assertThat(images.list()).hasSize(1);
      Mounts.mount("tmpfs", disk, "tmpfs", Mounts.MS_REMOUNT, "size=30m");
      images.pull(PullRequest.of(largeName));
      assertThat(images.list()).hasSize(2);
    } finally {
      Mounts.detach(disk);
    }
  }
}
