package io.keelson.csi.local;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.proto.csi.v1.BlockMetadata;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageBlocksTest {

  private static final int KIB = 1024;
  private static final int BLOCK = 64 * KIB;
  private static final int SIZE = 20 * BLOCK;

  @TempDir Path folder;

  private final List<List<BlockMetadata>> told = new ArrayList<>();

  @Test
  void holesAreNotTold() throws IOException {
    Path image = image("a", 0, 5 * BLOCK, 6 * BLOCK);
    blocks(0, 0).allocated(image);
    assertThat(told).containsExactly(List.of(block(0, BLOCK), block(5 * BLOCK, 2 * BLOCK)));
  }

  @Test
  void aListingGoesOnWhereItEnded() throws IOException {
    Path image = image("a", 0, 5 * BLOCK, 6 * BLOCK, 9 * BLOCK);
    blocks(BLOCK, 1).allocated(image);
    assertThat(told)
        .as("one at a time, and nothing that ends before")
        .containsExactly(List.of(block(5 * BLOCK, 2 * BLOCK)), List.of(block(9 * BLOCK, BLOCK)));
    told.clear();
    blocks(6 * BLOCK + 1, 0).allocated(image);
    assertThat(told.getFirst().getFirst()).isEqualTo(block(5 * BLOCK, 2 * BLOCK));
  }

  @Test
  void whatDiffersIsTold() throws IOException {
    Path older = image("a", 0, 5 * BLOCK, 10 * BLOCK);
    Path newer = image("b", 0, 5 * BLOCK, 6 * BLOCK, 19 * BLOCK);
    write(newer, 5 * BLOCK + 7, 2);
    blocks(0, 0).changed(older, newer);
    assertThat(told)
        .as("changed, written, deleted, and beyond the end of the older one")
        .containsExactly(
            List.of(
                block(5 * BLOCK, 2 * BLOCK), block(10 * BLOCK, BLOCK), block(19 * BLOCK, BLOCK)));
    told.clear();
    blocks(7 * BLOCK, 0).changed(older, newer);
    assertThat(told).containsExactly(List.of(block(10 * BLOCK, BLOCK), block(19 * BLOCK, BLOCK)));
    told.clear();
    blocks(0, 0).changed(older, older);
    assertThat(told).isEmpty();
  }

  /** A size need not be a multiple of what is compared at a time. */
  @Test
  void nothingIsToldBeyondTheEnd() throws IOException {
    Path older = Files.createFile(folder.resolve("a"));
    Path newer = Files.write(folder.resolve("b"), new byte[] {1, 2, 3});
    blocks(0, 0).changed(older, newer);
    assertThat(told).containsExactly(List.of(block(0, 3)));
  }

  private ImageBlocks blocks(long from, int maxResults) {
    return new ImageBlocks(from, maxResults, told::add);
  }

  private static BlockMetadata block(long offset, long size) {
    return BlockMetadata.newBuilder().setByteOffset(offset).setSizeBytes(size).build();
  }

  private Path image(String name, long... written) throws IOException {
    Path image = folder.resolve(name);
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(SIZE);
    }
    for (long at : written) {
      write(image, at, 1);
    }
    return image;
  }

  private static void write(Path image, long at, int content) throws IOException {
    byte[] bytes = new byte[at % BLOCK == 0 ? BLOCK : 1];
    java.util.Arrays.fill(bytes, (byte) content);
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.seek(at);
      file.write(bytes);
    }
  }
}
