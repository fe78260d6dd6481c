package io.keelson.image.archive;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Where the content of a file lies: GNU tar's old sparse format, and its pax formats 0.0, 0.1 and
 * 1.0 (GNU tar manual, "Storing Sparse Files").
 *
 * @param size of the file with its holes
 * @param isPax the file's name is in the map's own record
 */
record SparseMap(long size, List<TarEntry.Extent> extents, boolean isPax) {

  private static final int MAX_EXTENTS = 1 << 18;

  /** Reads the map, also from blocks before the content, if the header says that there is one. */
  static SparseMap read(
      TarReader reader, TarHeader header, PaxRecords pax, long stored, ByteFeed feed)
      throws IOException {
    if (header.type() == 'S') {
      return checked(header.number(483, 12), oldMap(header, feed), stored, false);
    }
    if ("1".equals(pax.get("GNU.sparse.major")) && "0".equals(pax.get("GNU.sparse.minor"))) {
      long size = paxSize(pax, "GNU.sparse.realsize");
      List<Long> numbers = numbersBeforeContent(reader);
      return checked(size, numbers, reader.contentLeft(), true);
    }
    List<Long> numbers = pax.sparseMap();
    if (numbers != null) {
      return checked(paxSize(pax, "GNU.sparse.size"), numbers, stored, true);
    }
    List<TarEntry.Extent> all = stored == 0 ? List.of() : List.of(new TarEntry.Extent(0, stored));
    return new SparseMap(stored, all, false);
  }

  private static long paxSize(PaxRecords pax, String key) throws MalformedArchiveException {
    String size = pax.get(key);
    if (size == null) {
      throw new MalformedArchiveException("a sparse file lacks " + key);
    }
    return TarNumbers.decimal(size, key);
  }

  // Four extents in the header, 21 in each block that follows it.
  private static List<Long> oldMap(TarHeader header, ByteFeed feed) throws IOException {
    List<Long> numbers = new ArrayList<>();
    addOld(header, 386, 4, numbers);
    boolean more = header.isSet(482);
    byte[] block = new byte[TarReader.BLOCK];
    while (more) {
      if (!feed.readFully(block)) {
        throw new EOFException("the archive ends in the middle of a sparse map");
      }
      TarHeader extension = new TarHeader(block);
      addOld(extension, 0, 21, numbers);
      more = extension.isSet(504);
    }
    return numbers;
  }

  private static void addOld(TarHeader block, int offset, int count, List<Long> numbers)
      throws MalformedArchiveException {
    for (int i = 0; i < count; i++) {
      int at = offset + i * 24;
      if (block.isSet(at)) {
        numbers.add(block.number(at, 12));
        numbers.add(block.number(at + 12, 12));
      }
    }
    limit(numbers.size());
  }

  // Format 1.0: decimal numbers, a line each, in whole blocks ahead of the content.
  private static List<Long> numbersBeforeContent(TarReader reader) throws IOException {
    List<Long> numbers = new ArrayList<>();
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    long[] expected = {Long.MAX_VALUE};
    while (numbers.size() < expected[0]) {
      reader.transferContent(
          TarReader.BLOCK,
          (data, offset, length) -> {
            for (int i = offset; i < offset + length && numbers.size() < expected[0]; i++) {
              if (data[i] != '\n') {
                line.write(data[i]);
                continue;
              }
              long number =
                  TarNumbers.decimal(line.toString(StandardCharsets.ISO_8859_1), "sparse map");
              line.reset();
              if (expected[0] == Long.MAX_VALUE) {
                limit(number);
                expected[0] = number * 2;
              } else {
                numbers.add(number);
              }
            }
            limit(line.size());
          });
    }
    return numbers;
  }

  private static SparseMap checked(long size, List<Long> numbers, long stored, boolean isPax)
      throws MalformedArchiveException {
    limit(numbers.size());
    if (size < 0 || numbers.size() % 2 != 0) {
      throw broken();
    }
    List<TarEntry.Extent> extents = new ArrayList<>();
    long end = 0;
    long content = 0;
    for (int i = 0; i < numbers.size(); i += 2) {
      long offset = numbers.get(i);
      long length = numbers.get(i + 1);
      if (offset < end || length < 0 || length > size || offset > size - length) {
        throw broken();
      }
      end = offset + length;
      content += length;
      if (length > 0) {
        extents.add(new TarEntry.Extent(offset, length));
      }
    }
    if (content != stored) {
      throw broken();
    }
    return new SparseMap(size, List.copyOf(extents), isPax);
  }

  private static void limit(long count) throws MalformedArchiveException {
    if (count < 0 || count > 2L * MAX_EXTENTS) {
      throw new MalformedArchiveException("a sparse map with more than " + MAX_EXTENTS + " parts");
    }
  }

  private static MalformedArchiveException broken() {
    return new MalformedArchiveException("a sparse file's map does not fit its content");
  }
}
