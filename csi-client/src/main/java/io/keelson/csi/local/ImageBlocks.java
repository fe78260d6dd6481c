package io.keelson.csi.local;

import io.keelson.linux.tree.DataRanges;
import io.keelson.proto.csi.v1.BlockMetadata;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Which parts of images hold data or differ. Blocks that follow each other are told as one. */
final class ImageBlocks {

  /** What is compared at a time; differences are told in multiples of it. */
  private static final int BLOCK = 64 << 10;

  /** So many are told at a time if nothing else is asked for. */
  private static final int DEFAULT_RESULTS = 1024;

  private final long from;
  private final int perMessage;
  private final Consumer<List<BlockMetadata>> listener;
  private final List<BlockMetadata> untold = new ArrayList<>();

  /**
   * @param from what ends at this byte or before is not told
   * @param maxResults most that are told at a time; 0 for any
   */
  ImageBlocks(long from, int maxResults, Consumer<List<BlockMetadata>> listener) {
    this.from = from;
    this.perMessage = maxResults == 0 ? DEFAULT_RESULTS : maxResults;
    this.listener = listener;
  }

  /** Tells of all that is not a hole. */
  void allocated(Path image) throws IOException {
    for (DataRanges.Range range : DataRanges.of(image)) {
      found(range.begin(), range.end());
    }
    tell();
  }

  /** Tells of all that is not as it was in an older image, which may be shorter. */
  void changed(Path older, Path image) throws IOException {
    try (FileChannel before = FileChannel.open(older, StandardOpenOption.READ);
        FileChannel after = FileChannel.open(image, StandardOpenOption.READ)) {
      ByteBuffer one = ByteBuffer.allocate(BLOCK);
      ByteBuffer other = ByteBuffer.allocate(BLOCK);
      long begin = -1;
      long end = -1;
      for (DataRanges.Range range : union(DataRanges.of(older), DataRanges.of(image))) {
        for (long at = Math.max(range.begin(), from / BLOCK * BLOCK);
            at < range.end();
            at += BLOCK) {
          if (read(before, at, one).equals(read(after, at, other))) {
            continue;
          }
          if (at != end) {
            found(begin, end);
            begin = at;
          }
          end = at + BLOCK;
        }
      }
      found(begin, Math.min(end, after.size()));
    }
    tell();
  }

  /** Whole blocks, in their order. */
  private static List<DataRanges.Range> union(
      List<DataRanges.Range> some, List<DataRanges.Range> others) {
    List<DataRanges.Range> sorted =
        Stream.concat(some.stream(), others.stream())
            .map(
                range ->
                    new DataRanges.Range(
                        range.begin() / BLOCK * BLOCK, (range.end() + BLOCK - 1) / BLOCK * BLOCK))
            .sorted((a, b) -> Long.compare(a.begin(), b.begin()))
            .toList();
    List<DataRanges.Range> union = new ArrayList<>();
    for (DataRanges.Range next : sorted) {
      DataRanges.Range last = union.isEmpty() ? null : union.getLast();
      if (last != null && next.begin() <= last.end()) {
        union.set(
            union.size() - 1, new DataRanges.Range(last.begin(), Math.max(last.end(), next.end())));
      } else {
        union.add(next);
      }
    }
    return union;
  }

  /** What lies behind the end reads as zeros. */
  private static ByteBuffer read(FileChannel channel, long at, ByteBuffer into) throws IOException {
    into.clear();
    while (into.hasRemaining() && channel.read(into, at + into.position()) >= 0) {
      // until it is full
    }
    while (into.hasRemaining()) {
      into.put((byte) 0);
    }
    return into.flip();
  }

  private void found(long begin, long end) {
    if (end <= from || end <= begin) {
      return;
    }
    untold.add(BlockMetadata.newBuilder().setByteOffset(begin).setSizeBytes(end - begin).build());
    if (untold.size() == perMessage) {
      tell();
    }
  }

  private void tell() {
    if (!untold.isEmpty()) {
      listener.accept(List.copyOf(untold));
      untold.clear();
    }
  }
}
