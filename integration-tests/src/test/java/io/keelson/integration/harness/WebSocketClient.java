package io.keelson.integration.harness;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.net.SocketFactory;
import org.jspecify.annotations.Nullable;

/** WebSocket (RFC 6455) from the client's side; one thread uses it. */
public final class WebSocketClient implements AutoCloseable {

  private static final int CLOSE = 8;

  private final HttpUpgrade upgrade;
  private final DataInputStream in;

  private WebSocketClient(HttpUpgrade upgrade) {
    this.upgrade = upgrade;
    this.in = new DataInputStream(upgrade.in());
  }

  /** Connects with this subprotocol, none if it is empty. */
  public static WebSocketClient connect(String url, String protocol) throws IOException {
    return connect(SocketFactory.getDefault(), url, protocol);
  }

  /** Connects by these sockets. */
  public static WebSocketClient connect(SocketFactory sockets, String url, String protocol)
      throws IOException {
    HttpUpgrade upgrade =
        HttpUpgrade.ask(
            sockets,
            url,
            "websocket",
            List.of(
                "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                protocol.isEmpty() ? "X-Nothing: 1" : "Sec-WebSocket-Protocol: " + protocol));
    // The answer to the key of the example in RFC 6455, 1.3.
    if (upgrade.status() != 101 || !upgrade.head().contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")) {
      throw new IOException(upgrade.head());
    }
    upgrade.socket().setSoTimeout(20_000);
    return new WebSocketClient(upgrade);
  }

  public String head() {
    return upgrade.head();
  }

  public void send(int channel, byte[] content) throws IOException {
    sendFrame(2, ByteBuffer.allocate(1 + content.length).put((byte) channel).put(content).array());
  }

  public void send(int channel, String text) throws IOException {
    send(channel, text.getBytes(UTF_8));
  }

  /** Sends a frame; the mask is one that changes the bytes. */
  public synchronized void sendFrame(int opcode, byte[] payload) throws IOException {
    ByteBuffer frame = ByteBuffer.allocate(14 + payload.length).put((byte) (0x80 | opcode));
    if (payload.length < 126) {
      frame.put((byte) (0x80 | payload.length));
    } else if (payload.length < 65_536) {
      frame.put((byte) (0x80 | 126)).putShort((short) payload.length);
    } else {
      frame.put((byte) (0x80 | 127)).putLong(payload.length);
    }
    byte[] mask = {0x12, 0x34, 0x56, 0x78};
    frame.put(mask);
    for (int i = 0; i < payload.length; i++) {
      frame.put((byte) (payload[i] ^ mask[i & 3]));
    }
    upgrade.out().write(frame.array(), 0, frame.position());
    upgrade.out().flush();
  }

  /** The next message; null at the end. */
  public byte @Nullable [] receive() throws IOException {
    try {
      int opcode = in.readUnsignedByte() & 0xf;
      long length = in.readUnsignedByte();
      if (length == 126) {
        length = in.readUnsignedShort();
      } else if (length == 127) {
        length = in.readLong();
      }
      byte[] payload = in.readNBytes((int) length);
      return opcode == CLOSE ? null : payload;
    } catch (EOFException e) {
      return null;
    }
  }

  /** All that comes on each channel until the end. */
  public Map<Integer, String> receiveAll() throws IOException {
    Map<Integer, ByteArrayOutputStream> bytes = new TreeMap<>();
    for (byte[] message = receive(); message != null; message = receive()) {
      bytes
          .computeIfAbsent((int) message[0], _ -> new ByteArrayOutputStream())
          .write(message, 1, message.length - 1);
    }
    Map<Integer, String> texts = new TreeMap<>();
    bytes.forEach((channel, content) -> texts.put(channel, content.toString(UTF_8)));
    return texts;
  }

  /** SPDY within the messages. */
  public SpdyClient tunnel() {
    return new SpdyClient(new TunnelInput(), new TunnelOutput(), upgrade::close);
  }

  @Override
  public void close() throws IOException {
    upgrade.close();
  }

  private final class TunnelInput extends InputStream {

    private byte[] message = {};
    private int taken;

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      if (length == 0) {
        return 0;
      }
      while (taken == message.length) {
        byte[] next = receive();
        if (next == null) {
          return -1;
        }
        message = next;
        taken = 0;
      }
      int count = Math.min(length, message.length - taken);
      System.arraycopy(message, taken, buffer, offset, count);
      taken += count;
      return count;
    }
  }

  private final class TunnelOutput extends OutputStream {

    @Override
    public void write(int b) {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      try {
        sendFrame(2, Arrays.copyOfRange(bytes, offset, offset + length));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
