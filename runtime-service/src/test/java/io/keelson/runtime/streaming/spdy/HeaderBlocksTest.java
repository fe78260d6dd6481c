package io.keelson.runtime.streaming.spdy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.zip.Adler32;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;

class HeaderBlocksTest {

  @Test
  void theDictionaryIsTheSpecifications() {
    Adler32 checksum = new Adler32();
    checksum.update(HeaderDictionary.bytes());
    assertThat(checksum.getValue()).isEqualTo(0xe3c6a7c2L); // known of SPDY/3's
  }

  @Test
  void blocksCompressedOneAfterAnotherWithTheDictionaryAreRead() throws IOException {
    Deflater deflater = new Deflater();
    deflater.setDictionary(HeaderDictionary.bytes());
    HeaderBlocks blocks = new HeaderBlocks();

    for (String type : new String[] {"error", "data", "stdin"}) {
      Map<String, String> headers =
          blocks.decode(compress(deflater, Map.of("streamType", type, "port", "80\0" + "81")));
      assertThat(headers).containsEntry("streamtype", type).containsEntry("port", "80");
    }
    deflater.end();
    blocks.close();
  }

  @Test
  void whatIsSentIsReadBackThoughNothingIsCompressed() throws IOException {
    HeaderBlocks sender = new HeaderBlocks();
    HeaderBlocks reader = new HeaderBlocks();
    for (int i = 0; i < 3; i++) {
      Map<String, String> headers = Map.of("status", "200", "number", "" + i);
      assertThat(reader.decode(sender.encode(headers))).isEqualTo(headers);
    }
  }

  @Test
  void aSmallBlockCanNotBecomeALargeOne() throws IOException {
    byte[] bomb = compress(new Deflater(), Map.of("x", "y".repeat(1 << 20)));
    assertThat(bomb.length).isLessThan(10_000);
    assertThatThrownBy(() -> new HeaderBlocks().decode(bomb)).hasMessageContaining("more than");
    assertThatThrownBy(() -> new HeaderBlocks().decode(new byte[] {1, 2, 3, 4}))
        .isInstanceOf(IOException.class);
  }

  private static byte[] compress(Deflater deflater, Map<String, String> headers)
      throws IOException {
    ByteArrayOutputStream plain = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(plain);
    out.writeInt(headers.size());
    for (Map.Entry<String, String> header : headers.entrySet()) {
      for (String text : new String[] {header.getKey(), header.getValue()}) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeInt(bytes.length);
        out.write(bytes);
      }
    }
    deflater.setInput(plain.toByteArray());
    byte[] buffer = new byte[1 << 16];
    int length = deflater.deflate(buffer, 0, buffer.length, Deflater.SYNC_FLUSH);
    return Arrays.copyOf(buffer, length);
  }
}
