package io.keelson.image.archive;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.image.fixture.Fuzz;
import io.keelson.image.fixture.LayerTar;
import io.keelson.image.fixture.TreeListing;
import io.keelson.linux.tree.Folder;
import io.keelson.linux.tree.Trees;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Provide;

/** Whatever an archive holds: an IOException at worst, and nothing outside of the layer. */
class ArchivePropertiesTest {

  private static final UnpackLimits SMALL = new UnpackLimits(1000, 10 << 20, 1000, 10 << 20);

  record Entry(int kind, String name, String target) {}

  @Fuzz(tries = 400)
  void noSequenceOfEntriesReachesOut(@ForAll("entries") List<Entry> entries) throws IOException {
    Path folder = Files.createTempDirectory(memory(), "keelson-test-");
    try {
      Path layer = Files.createDirectory(folder.resolve("layer"));
      Path outside = Files.createDirectory(folder.resolve("out"));
      Files.writeString(outside.resolve("canary"), "alive");
      Map<String, String> before = TreeListing.of(outside);
      LayerTar tar = new LayerTar();
      for (Entry entry : entries) {
        switch (entry.kind()) {
          case 0 -> tar.file(entry.name(), "x");
          case 1 -> tar.folder(entry.name() + "/", 0755);
          case 2 -> tar.symbolicLink(entry.name(), entry.target());
          case 3 -> tar.hardLink(entry.name(), entry.target());
          default -> tar.device(entry.name(), 1, 3);
        }
      }
      unpack(tar.bytes(), layer);
      assertThat(TreeListing.of(outside)).isEqualTo(before);
      try (var left = Files.list(folder)) {
        assertThat(left).containsExactlyInAnyOrder(layer, outside);
      }
    } finally {
      try (Folder parent = Folder.open(memory())) {
        Trees.delete(parent, folder.getFileName().toString());
      }
    }
  }

  @Fuzz(tries = 2000)
  void damagedBytesEndInAnIoException(
      @ForAll("positions") List<Integer> positions, @ForAll byte value) {
    byte[] tar =
        new LayerTar()
            .folder("d/", 0755)
            .withPax("d/f", "content", Map.of("SCHILY.xattr.user.a", "b", "mtime", "1.5"))
            .withPax(
                "s", "0123456789", Map.of("GNU.sparse.size", "100", "GNU.sparse.map", "0,5,50,5"))
            .hardLink("h", "d/f")
            .bytes();
    for (int position : positions) {
      tar[position % tar.length] = value;
    }
    repairChecksums(tar);
    TarReader reader = new TarReader(new StreamFeed(new ByteArrayInputStream(tar)));
    try {
      while (reader.next() != null) {
        reader.transferContent((data, offset, length) -> {});
      }
    } catch (IOException e) {
      assertThat(e).hasMessageMatching("(?s).+");
    }
  }

  // Else nearly all damage would be found by the checksum, before anything is read.
  private static void repairChecksums(byte[] tar) {
    for (int at = 0; at + 512 <= tar.length; at += 512) {
      if (tar[at + 257] == 'u' && tar[at + 258] == 's') {
        int sum = 8 * ' ';
        for (int i = 0; i < 512; i++) {
          sum += i >= 148 && i < 156 ? 0 : tar[at + i] & 0xff;
        }
        byte[] octal =
            "%06o\0 ".formatted(sum).getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        System.arraycopy(octal, 0, tar, at + 148, 8);
      }
    }
  }

  private static void unpack(byte[] tar, Path layer) throws IOException {
    try (Folder root = Folder.open(layer);
        LayerExtractor extractor = new LayerExtractor(root, SMALL, -1)) {
      extractor.extract(new TarReader(new StreamFeed(new ByteArrayInputStream(tar))));
    } catch (IOException e) {
      assertThat(e).hasMessageMatching("(?s).+");
    }
  }

  private static Path memory() {
    Path memory = Path.of("/dev/shm");
    return Files.isWritable(memory) ? memory : Path.of(System.getProperty("java.io.tmpdir"));
  }

  @Provide
  Arbitrary<List<Integer>> positions() {
    return Arbitraries.integers().between(0, 20_000).list().ofMinSize(1).ofMaxSize(6);
  }

  @Provide
  Arbitrary<List<Entry>> entries() {
    Arbitrary<String> part =
        Arbitraries.of("a", "b", "c", "..", ".", "out", "canary", ".wh.a", ".wh..wh..opq");
    Arbitrary<String> path =
        Combinators.combine(Arbitraries.of("", "/", "../"), part.list().ofMinSize(1).ofMaxSize(4))
            .as((start, parts) -> start + String.join("/", parts));
    return Combinators.combine(Arbitraries.integers().between(0, 4), path, path)
        .as(Entry::new)
        .list()
        .ofMaxSize(12);
  }
}
