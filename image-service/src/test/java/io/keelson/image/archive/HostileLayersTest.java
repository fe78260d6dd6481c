package io.keelson.image.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.image.fixture.LayerTar;
import io.keelson.image.fixture.MemoryFolders;
import io.keelson.image.fixture.TreeListing;
import io.keelson.linux.tree.FileStatus;
import io.keelson.linux.tree.Folder;
import io.keelson.linux.tree.Trees;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Layers that want out of their folder, or more than they are given. */
class HostileLayersTest {

  @TempDir(factory = MemoryFolders.class)
  Path folder;

  private Path layer;
  private Path outside;
  private Map<String, String> outsideBefore = Map.of();

  @BeforeEach
  void prepare() throws IOException {
    layer = Files.createDirectory(folder.resolve("layer"));
    outside = Files.createDirectory(folder.resolve("outside"));
    Files.writeString(outside.resolve("canary"), "alive");
    outsideBefore = TreeListing.of(outside);
  }

  @AfterEach
  void nothingOutsideHasChanged() throws IOException {
    assertThat(TreeListing.of(outside)).isEqualTo(outsideBefore);
    try (var entries = Files.list(folder)) {
      assertThat(entries).containsExactlyInAnyOrder(layer, outside);
    }
    // Deeper than what the temporary folder's own deletion can reach.
    try (Folder parent = Folder.open(folder)) {
      Trees.delete(parent, "layer");
    }
  }

  /** Makes the folder of the layer anew. */
  private void again() throws IOException {
    try (Folder parent = Folder.open(folder)) {
      Trees.delete(parent, "layer");
    }
    Files.createDirectory(layer);
  }

  private UnpackedLayer extract(LayerTar tar) throws IOException {
    return extract(tar.bytes(), UnpackLimits.DEFAULT, -1);
  }

  private UnpackedLayer extract(byte[] tar, UnpackLimits limits, long blobSize) throws IOException {
    try (Folder root = Folder.open(layer);
        LayerExtractor extractor = new LayerExtractor(root, limits, blobSize)) {
      return extractor.extract(new TarReader(new StreamFeed(new ByteArrayInputStream(tar))));
    }
  }

  private void assertRefused(LayerTar tar) throws IOException {
    assertThatThrownBy(() -> extract(tar)).isInstanceOf(MalformedArchiveException.class);
    again();
  }

  @Test
  void namesThatLeadOutAreRefused() throws IOException {
    assertRefused(new LayerTar().file("../outside/canary", "dead"));
    assertRefused(new LayerTar().file("a/../../outside/canary", "dead"));
    assertRefused(new LayerTar().folder("..", 0777));
    assertRefused(new LayerTar().symbolicLink("../x", "y"));
    assertRefused(new LayerTar().file("../.wh.outside", ""));
    assertRefused(new LayerTar().file("../outside/.wh..wh..opq", ""));
    assertRefused(new LayerTar().file(".wh...", ""));
    assertRefused(new LayerTar().file(".wh..", ""));
    assertRefused(new LayerTar().file(".wh.", ""));
  }

  @Test
  void absoluteNamesBeginAtTheLayer() throws IOException {
    extract(new LayerTar().file(outside.resolve("canary").toString(), "inside"));
    assertThat(layer.resolve(outside.resolve("canary").toString().substring(1)))
        .hasContent("inside");
  }

  @Test
  void absoluteSymbolicLinksAreKeptAndNotFollowedOut() throws IOException {
    extract(
        new LayerTar()
            .symbolicLink("link", outside.toString())
            .file("link/canary", "dead")
            .folder("link/sub", 0700));
    assertThat(Files.readSymbolicLink(layer.resolve("link"))).isEqualTo(outside);
    assertThat(layer.resolve(outside.toString().substring(1)).resolve("canary")).hasContent("dead");
  }

  @Test
  void relativeSymbolicLinksDoNotLeadOut() throws IOException {
    extract(
        new LayerTar()
            .symbolicLink("up", "../../../../../../../../..")
            .file("up" + outside + "/canary", "dead")
            .symbolicLink("a", "../outside")
            .file("a/canary", "dead"));
    assertThat(layer.resolve("outside/canary")).hasContent("dead");
  }

  @Test
  void lastPartsAreReplacedAndNotFollowed() throws IOException {
    String canary = outside.resolve("canary").toString();
    extract(
        new LayerTar()
            .symbolicLink("file", canary)
            .file("file", "new")
            .symbolicLink("folder", outside.toString())
            .folder("folder", 0777)
            .symbolicLink("node", canary)
            .fifo("node")
            .symbolicLink("whiteout", canary)
            .file(".wh.whiteout", ""));
    assertThat(layer.resolve("file")).isRegularFile().hasContent("new");
    assertThat(Files.isDirectory(layer.resolve("folder"), LinkOption.NOFOLLOW_LINKS)).isTrue();
    assertThat(Files.isSymbolicLink(layer.resolve("node"))).isFalse();
  }

  @Test
  void hardLinksDoNotLeadOut() throws IOException {
    assertRefused(new LayerTar().hardLink("h", "../outside/canary"));
    assertRefused(new LayerTar().hardLink("h", outside + "/canary"));
    assertRefused(new LayerTar().symbolicLink("d", outside.toString()).hardLink("h", "d/canary"));
    assertRefused(new LayerTar().hardLink("h", "/"));
    assertRefused(new LayerTar().folder("dir", 0755).hardLink("h", "dir"));
  }

  @Test
  void hardLinkToASymbolicLinkIsOneMoreName() throws IOException {
    extract(
        new LayerTar()
            .symbolicLink("l", outside.resolve("canary").toString())
            .hardLink("h", "l")
            .file("h", "dead"));
    assertThat(layer.resolve("h")).isRegularFile().hasContent("dead");
    assertThat(Files.isSymbolicLink(layer.resolve("l"))).isTrue();
  }

  @Test
  void linksInARingAreRefused() throws IOException {
    assertRefused(new LayerTar().symbolicLink("a", "b").symbolicLink("b", "a").file("a/x", "dead"));
    assertRefused(new LayerTar().symbolicLink("s", "s/s").file("s/x", "dead"));
  }

  @Test
  void fileInThePlaceOfAFolderIsRefused() throws IOException {
    assertRefused(new LayerTar().file("f", "x").file("f/below", "y"));
  }

  @Test
  void overlayIsNotToldAnythingByTheArchive() throws IOException {
    extract(
        new LayerTar()
            .withPax(
                "f",
                "x",
                Map.of(
                    "SCHILY.xattr.trusted.overlay.redirect", "/../../outside",
                    "SCHILY.xattr.trusted.overlay.metacopy", "",
                    "SCHILY.xattr.user.overlay.opaque", "y",
                    "SCHILY.xattr.trusted.mine", "kept")));
    try (Folder root = Folder.open(layer)) {
      assertThat(root.inode("f").attributes())
          .filteredOn(name -> !name.equals("security.selinux"))
          .containsExactly("trusted.mine");
    }
  }

  @Test
  void zeroBytesDoNotShortenNames() throws IOException {
    assertRefused(new LayerTar().withPax("f", "x", Map.of("path", "a\0b")));
    assertRefused(new LayerTar().withPax("f", "x", Map.of("linkpath", "a\0b")));
  }

  @Test
  void limitsHold() {
    LayerTar three = new LayerTar().file("a", "x").file("b", "x").file("c", "x");
    byte[] tar = three.bytes();
    assertThatThrownBy(() -> extract(tar, new UnpackLimits(2, 1 << 20, 10, 1 << 20), -1))
        .hasMessageContaining("entries");
    byte[] large = new LayerTar().file("a", 0644, new byte[200_000], entry -> {}).bytes();
    assertThatThrownBy(() -> extract(large, new UnpackLimits(10, 100_000, 10, 1 << 20), -1))
        .hasMessageContaining("100000 bytes");
    assertThatThrownBy(() -> extract(large, new UnpackLimits(10, 1 << 20, 10, 1000), 500))
        .hasMessageContaining("10 times");
    byte[] sparse =
        new LayerTar()
            .withPax(
                "s",
                "",
                Map.of(
                    "GNU.sparse.major", "0",
                    "GNU.sparse.minor", "1",
                    "GNU.sparse.size", "" + (1L << 60),
                    "GNU.sparse.map", "0,0"))
            .bytes();
    assertThatThrownBy(() -> extract(sparse, UnpackLimits.DEFAULT, -1))
        .hasMessageContaining("bytes that are allowed");
  }

  @Test
  void hugeNamesAreRefusedAndLongOnesKept() throws IOException {
    assertRefused(new LayerTar().file("n".repeat(256), "x"));
    assertRefused(new LayerTar().withPax("x", "x", Map.of("path", "a/".repeat(20_000) + "x")));
    assertRefused(new LayerTar().withPax("x", "x", Map.of("path", "a/".repeat(1025) + "x")));
    String deep = "d".repeat(200) + "/";
    extract(new LayerTar().file(deep.repeat(30) + "leaf", "x").file(deep.repeat(30) + "two", "y"));
    try (Folder root = Folder.open(layer);
        Folder upper = root.descend(deep.repeat(15));
        Folder lower = upper.descend(deep.repeat(15))) {
      assertThat(lower.list()).containsExactlyInAnyOrder("leaf", "two");
    }
  }

  @Test
  void whiteoutsBecomeWhatOverlayReads() throws IOException {
    extract(
        new LayerTar()
            .file(".wh.gone", "")
            .folder("opaque/", 0750)
            .file("opaque/.wh..wh..opq", "")
            .file("opaque/new", "x")
            .file(".wh..wh.plnk", "")
            .file(".wh.again", "")
            .folder("again/", 0700)
            .folder("before/", 0700)
            .file(".wh.before", "")
            .file(".wh.implied", "")
            .file("implied/new", "x")
            .file("kept", "x")
            .file(".wh.kept", ""));
    try (Folder root = Folder.open(layer)) {
      assertThat(root.status("gone").orElseThrow().isWhiteout()).isTrue();
      for (String name : new String[] {"opaque", "again", "before", "implied"}) {
        assertThat(root.inode(name).attribute("trusted.overlay.opaque"))
            .as(name)
            .hasValue("y".getBytes(StandardCharsets.US_ASCII));
      }
      assertThat(root.status("kept").orElseThrow().type()).isEqualTo(FileStatus.S_IFREG);
      assertThat(root.status(".wh..wh.plnk")).isEmpty();
    }
  }

  @Test
  void impliedFoldersAreTold() throws IOException {
    UnpackedLayer unpacked =
        extract(new LayerTar().file("a/b/c", "x").folder("a", 0700).file("d/e", "x"));
    assertThat(unpacked.implied()).containsExactly("", "a/b", "d");
  }

  @Test
  void linkToAFolderOfALowerLayerIsMadeThere() throws IOException {
    extract(new LayerTar().symbolicLink("lib", "/usr/lib").file("lib/x", "y"));
    assertThat(layer.resolve("usr/lib/x")).hasContent("y");
    assertThat(Files.isSymbolicLink(layer.resolve("lib"))).isTrue();
  }

  @Test
  void laterEntriesReplaceEarlierOnes() throws IOException {
    extract(
        new LayerTar()
            .folder("x/", 0755)
            .folder("x/y/", 0755)
            .file("x/y/z", "1")
            .file("x", "file")
            .file("twice", "1")
            .hardLink("alias", "twice")
            .file("twice", "2"));
    assertThat(layer.resolve("x")).hasContent("file");
    assertThat(layer.resolve("alias")).hasContent("1");
    assertThat(layer.resolve("twice")).hasContent("2");
  }

  @Test
  void damagedArchivesAreRefused() {
    byte[] tar = new LayerTar().file("f", "content").bytes();
    assertThatThrownBy(() -> extract(Arrays.copyOf(tar, 700), UnpackLimits.DEFAULT, -1))
        .isInstanceOf(IOException.class);
    byte[] damaged = tar.clone();
    damaged[3] ^= 1;
    assertThatThrownBy(() -> extract(damaged, UnpackLimits.DEFAULT, -1))
        .isInstanceOf(MalformedArchiveException.class)
        .hasMessageContaining("checksum");
  }
}
