package io.keelson.image.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.image.fixture.LayerTar;
import io.keelson.linux.inflate.Inflation;
import io.keelson.linux.inflate.IsalInflation;
import io.keelson.linux.inflate.ZlibInflation;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Gzip by each library: what comes out, wherever reads and members end. */
class GzipStreamTest {

  private final Random random = new Random(11);

  static Stream<Arguments> libraries() {
    Supplier<Inflation> zlib = ZlibInflation::new;
    Supplier<Inflation> isal = IsalInflation::new;
    return Stream.<Arguments>of(
            Arguments.argumentSet("zlib", zlib), Arguments.argumentSet("ISA-L", isal))
        .limit(IsalInflation.isAvailable() ? 2 : 1);
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void whatWasCompressedComesBack(Supplier<Inflation> library) throws IOException {
    for (int level : new int[] {0, 1, 6, 9}) {
      for (int size : new int[] {0, 1, 1000, 262_144, 3_000_001}) {
        byte[] content = content(size);
        assertThat(read(gzip(content, level), library, 1 + random.nextInt(100_000)))
            .as("level %d, %d bytes", level, size)
            .isEqualTo(content);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void membersFollowEachOtherAndPaddingIsPassedOver(Supplier<Inflation> library)
      throws IOException {
    byte[] content = content(10_000);
    byte[] one = gzip(content, 6);
    byte[] three = join(one, gzip(new byte[0], 6), one, new byte[700]);
    for (int atOnce : new int[] {1, 2, 3, 7, 8, 9, 4096, three.length}) {
      assertThat(read(three, library, atOnce)).isEqualTo(join(content, content));
    }
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void anEndThatIsTooEarlyIsTold(Supplier<Inflation> library) throws IOException {
    byte[] whole = gzip(content(300), 6);
    for (int length = 4; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertThatThrownBy(() -> read(cut, library, 5)).isInstanceOf(EOFException.class);
    }
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void damageIsToldOrGivesOtherContent(Supplier<Inflation> library) throws IOException {
    byte[] content = content(20_000);
    byte[] whole = gzip(content, 6);
    int unseen = 0;
    for (int i = 0; i < 2000; i++) {
      byte[] damaged = whole.clone();
      damaged[10 + random.nextInt(whole.length - 18)] ^= (byte) (1 << random.nextInt(8));
      try {
        if (Arrays.equals(read(damaged, library, 777), content)) {
          unseen++;
        }
      } catch (MalformedArchiveException | EOFException e) {
        assertThat(e).hasMessageContaining("gzip");
      }
    }
    assertThat(unseen).as("bits that nothing reads, runs that begin elsewhere").isLessThan(100);
  }

  /** Files of a layer: some compress well, some don't. */
  private byte[] content(int size) {
    byte[] noise = new byte[size / 2];
    random.nextBytes(noise);
    byte[] tar = new LayerTar().file("noise", 0644, noise, entry -> {}).bytes();
    return Arrays.copyOf(tar, size);
  }

  private static byte[] gzip(byte[] content, int level) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new LevelledGzip(out, level)) {
      gzip.write(content);
    }
    return out.toByteArray();
  }

  private static final class LevelledGzip extends GZIPOutputStream {
    LevelledGzip(ByteArrayOutputStream out, int level) throws IOException {
      super(out);
      def.setLevel(level == 0 ? Deflater.NO_COMPRESSION : level);
    }
  }

  private static byte[] join(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  /** The source gives no more than so many bytes at once. */
  private static byte[] read(byte[] compressed, Supplier<Inflation> library, int atOnce)
      throws IOException {
    InputStream source =
        new ByteArrayInputStream(compressed) {
          @Override
          public synchronized int read(byte[] target, int offset, int length) {
            return super.read(target, offset, Math.min(length, atOnce));
          }
        };
    try (InputStream stream = new GzipStream(source, library.get())) {
      return stream.readAllBytes();
    }
  }
}
