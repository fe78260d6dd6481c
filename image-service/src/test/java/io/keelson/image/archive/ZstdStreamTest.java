package io.keelson.image.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How much memory a frame may ask for (RFC 8878, 3.1.1.1). */
@Isolated("what it counts is of the whole JVM")
class ZstdStreamTest {

  private static final int MAGIC = 0xfd2fb528;
  private static final String CONTENT = "content";

  /** A frame of one raw block whose header asks for a window of two to the power of this. */
  private static byte[] frame(int windowLog) {
    return frame(new byte[] {0, (byte) ((windowLog - 10) << 3)});
  }

  /** One that says its size, which is its window, too. */
  private static byte[] singleSegment(long size) {
    return frame(
        ByteBuffer.allocate(9)
            .order(ByteOrder.LITTLE_ENDIAN)
            .put((byte) 0xe0)
            .putLong(size)
            .array());
  }

  private static byte[] frame(byte[] header) {
    return ByteBuffer.allocate(4 + header.length + block().length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(MAGIC)
        .put(header)
        .put(block())
        .array();
  }

  private static byte[] block() {
    byte[] content = CONTENT.getBytes(StandardCharsets.US_ASCII);
    int header = content.length << 3 | 1; // raw, the last one
    return ByteBuffer.allocate(3 + content.length)
        .put((byte) header)
        .put((byte) (header >> 8))
        .put((byte) (header >> 16))
        .put(content)
        .array();
  }

  private static String decompressed(byte[] frame) throws IOException {
    try (InputStream stream = Decompression.of(new ByteArrayInputStream(frame))) {
      return new String(stream.readAllBytes(), StandardCharsets.US_ASCII);
    }
  }

  @Test
  void aWindowAsTheLongestThatToolsMakeUnaskedIsTaken() throws IOException {
    assertThat(decompressed(frame(27))).isEqualTo(CONTENT);
  }

  @ParameterizedTest
  @ValueSource(ints = {28, 31, 41})
  void aLargerWindowIsRefusedBeforeItIsThere(int windowLog) throws IOException {
    isRefused(frame(windowLog));
  }

  @Test
  void soIsOneOfAFrameWithoutAWindowOfItsOwn() throws IOException {
    isRefused(singleSegment(2L << 30));
  }

  private static void isRefused(byte[] frame) throws IOException {
    long before = addressSpace();
    assertThatThrownBy(() -> decompressed(frame))
        .isInstanceOf(MalformedArchiveException.class)
        .hasMessageContaining("a window of more than 128 MiB");
    assertThat(addressSpace() - before).as("bytes").isLessThan(100L << 20);
  }

  /** The most that the process had so far. */
  private static long addressSpace() throws IOException {
    Matcher peak =
        Pattern.compile("VmPeak:\\s+([0-9]+) kB")
            .matcher(Files.readString(Path.of("/proc/self/status")));
    assertThat(peak.find()).isTrue();
    return Long.parseLong(peak.group(1)) << 10;
  }
}
