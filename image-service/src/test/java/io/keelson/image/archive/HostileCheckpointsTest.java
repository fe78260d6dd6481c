package io.keelson.image.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.image.fixture.LayerTar;
import io.keelson.image.fixture.MemoryFolders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Archives of checkpoints, and changes of root file systems, that want out of their folder. */
class HostileCheckpointsTest {

  private static final UnpackLimits SMALL = new UnpackLimits(10, 10_000, 250, 1000);

  @TempDir(factory = MemoryFolders.class)
  Path folder;

  private Path root;
  private Path outside;
  private Path canary;

  @BeforeEach
  void prepare() throws IOException {
    root = Files.createDirectory(folder.resolve("root"));
    outside = Files.createDirectory(folder.resolve("outside"));
    canary = Files.writeString(outside.resolve("canary"), "alive");
  }

  @AfterEach
  void nothingOutsideHasChanged() {
    assertThat(canary).hasContent("alive");
  }

  private void unpack(LayerTar tar) throws IOException {
    Path archive = Files.write(folder.resolve("archive"), tar.bytes());
    PlainExtractor.extract(archive, root, SMALL);
  }

  private void assertRefused(LayerTar tar) {
    assertThatThrownBy(() -> unpack(tar)).isInstanceOf(MalformedArchiveException.class);
  }

  private void change(LayerTar tar, String... deleted) throws IOException {
    Path archive = Files.write(folder.resolve("changes"), tar.bytes());
    ChangesExtractor.apply(root, archive, List.of(deleted), SMALL);
  }

  @Test
  void anArchiveStaysInItsFolder() throws IOException {
    assertRefused(new LayerTar().file("../outside/canary", "dead"));
    assertRefused(new LayerTar().file("a/../../outside/canary", "dead"));
    assertRefused(new LayerTar().folder("..", 0777));
    unpack(new LayerTar().file("/checkpoint/inventory.img", "x"));
    assertThat(root.resolve("checkpoint/inventory.img")).hasContent("x");
  }

  @Test
  void linksAreLeftOutAndSoLeadNowhere() throws IOException {
    unpack(
        new LayerTar()
            .symbolicLink("checkpoint", outside.toString())
            .symbolicLink("config.dump", canary.toString())
            .file("checkpoint/canary", "dead"));
    assertThat(root.resolve("checkpoint/canary")).hasContent("dead");
    assertThat(Files.exists(root.resolve("config.dump"), LinkOption.NOFOLLOW_LINKS)).isFalse();
  }

  @Test
  void oneNameIsGivenOnce() {
    assertRefused(new LayerTar().file("a", "1").file("a", "2"));
    assertRefused(new LayerTar().file("b", "1").file("b/c", "2"));
  }

  @Test
  void whatGrowsBeyondTheLimitsIsRefused() {
    assertRefused(new LayerTar().file("large", "x".repeat(20_000)));
    LayerTar many = new LayerTar();
    for (int i = 0; i < 20; i++) {
      many.file("file" + i, "");
    }
    assertRefused(many);
  }

  @Test
  void changesStayInTheRoot() throws IOException {
    Files.createSymbolicLink(root.resolve("link"), outside);
    assertThatThrownBy(() -> change(new LayerTar(), "/../outside/canary"))
        .isInstanceOf(MalformedArchiveException.class);
    assertThatThrownBy(() -> change(new LayerTar(), "/"))
        .isInstanceOf(MalformedArchiveException.class);
    assertThatThrownBy(() -> change(new LayerTar().file("../outside/canary", "dead")))
        .isInstanceOf(MalformedArchiveException.class);
    change(new LayerTar(), "/link/canary", "/no/such/folder/file");
  }

  @Test
  void changesDeleteAndReplace() throws IOException {
    Files.createDirectories(root.resolve("old/below"));
    Files.writeString(root.resolve("kept"), "before");
    change(new LayerTar().file("kept", "after").file("new/file", "made"), "/old");
    assertThat(root.resolve("old")).doesNotExist();
    assertThat(root.resolve("kept")).hasContent("after");
    assertThat(root.resolve("new/file")).hasContent("made");
  }
}
