package io.keelson.runtime.streaming.websocket;

import io.keelson.runtime.streaming.wire.Outbox;
import io.keelson.runtime.streaming.wire.Wire;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Messages both ways (RFC 6455). One thread receives; any may send. Pings are answered while
 * someone receives.
 */
public final class WebSocketConnection implements AutoCloseable {

  /** What clients send at most in one message is a tenth of a megabyte. */
  private static final int MAX_MESSAGE = 4 << 20;

  private static final int CHUNK = 32 * 1024;

  private static final int CONTINUATION = 0;
  private static final int TEXT = 1;
  private static final int BINARY = 2;
  private static final int CLOSE = 8;
  private static final int PING = 9;
  private static final int PONG = 10;
  private static final int FIN = 0x80;
  private static final int MASKED = 0x80;
  private static final int NORMAL = 1000;

  private final Wire wire;
  private final DataInputStream in;
  private final Outbox outbox;
  private final AtomicLong lastContent = new AtomicLong(System.nanoTime());

  public WebSocketConnection(Wire wire) {
    this.wire = wire;
    this.in = new DataInputStream(wire.in());
    this.outbox = new Outbox(wire);
  }

  /**
   * The next message, of text or of bytes; null at the end.
   *
   * @throws IOException if the connection breaks, or the client breaks the rules
   */
  public byte @Nullable [] receive() throws IOException {
    ByteArrayOutputStream parts = null;
    while (true) {
      int first;
      try {
        first = in.readUnsignedByte();
      } catch (EOFException end) {
        return null;
      }
      int opcode = first & 0xf;
      byte[] payload = payload(opcode);
      switch (opcode) {
        case PING -> outbox.answer(() -> frame(PONG, payload, 0, payload.length));
        case PONG -> {} // nobody asked
        case CLOSE -> {
          outbox.answer(() -> frame(CLOSE, payload, 0, Math.min(2, payload.length)));
          return null;
        }
        case TEXT, BINARY, CONTINUATION -> {
          lastContent.set(System.nanoTime());
          if ((opcode == CONTINUATION) == (parts == null)) {
            throw new IOException("a fragment of a message at the wrong place");
          }
          if ((first & FIN) != 0 && parts == null) {
            return payload;
          }
          parts = parts == null ? new ByteArrayOutputStream() : parts;
          parts.writeBytes(payload);
          if (parts.size() > MAX_MESSAGE) {
            throw new IOException("a message of more than " + MAX_MESSAGE + " bytes");
          }
          if ((first & FIN) != 0) {
            return parts.toByteArray();
          }
        }
        default -> throw new IOException("a frame of unknown kind " + opcode);
      }
    }
  }

  private byte[] payload(int opcode) throws IOException {
    int second = in.readUnsignedByte();
    if ((second & MASKED) == 0) {
      throw new IOException("a frame that is not masked, from a client");
    }
    long length = second & 0x7f;
    if (length == 126) {
      length = in.readUnsignedShort();
    } else if (length == 127) {
      length = in.readLong();
    }
    if (length < 0 || length > (opcode >= CLOSE ? 125 : MAX_MESSAGE)) {
      throw new IOException("a frame of " + length + " bytes");
    }
    byte[] mask = new byte[4];
    in.readFully(mask);
    byte[] payload = new byte[(int) length];
    in.readFully(payload);
    for (int i = 0; i < payload.length; i++) {
      payload[i] ^= mask[i & 3];
    }
    return payload;
  }

  /** Sends bytes, a large array in several messages of which each begins with {@code prefix}. */
  public void sendBinary(byte[] prefix, byte[] bytes, int offset, int length) throws IOException {
    lastContent.set(System.nanoTime());
    int done = 0;
    do {
      int from = offset + done;
      int chunk = Math.min(CHUNK, length - done);
      byte[] message =
          ByteBuffer.allocate(prefix.length + chunk).put(prefix).put(bytes, from, chunk).array();
      outbox.send(() -> frame(BINARY, message, 0, message.length));
      done += chunk;
    } while (done < length);
  }

  /** Sends a message of text, which must be ASCII or UTF-8. */
  public void sendText(byte[] text) throws IOException {
    lastContent.set(System.nanoTime());
    outbox.send(() -> frame(TEXT, text, 0, text.length));
  }

  /** Says that this side has nothing more to say, and wants an answer and the end. */
  public void sendClose() throws IOException {
    byte[] status = {(byte) (NORMAL >> 8), (byte) NORMAL};
    outbox.send(() -> frame(CLOSE, status, 0, status.length));
  }

  /** Since content came or went, either way; pings don't count. */
  public long idleNanos() {
    return System.nanoTime() - lastContent.get();
  }

  /** Ends the connection without a word. */
  @Override
  public void close() {
    wire.close();
  }

  private static byte[] frame(int opcode, byte[] payload, int offset, int length) {
    ByteBuffer frame = ByteBuffer.allocate(10 + length).put((byte) (FIN | opcode));
    if (length < 126) {
      frame.put((byte) length);
    } else if (length < 1 << 16) {
      frame.put((byte) 126).putShort((short) length);
    } else {
      frame.put((byte) 127).putLong(length);
    }
    frame.put(payload, offset, length);
    byte[] bytes = new byte[frame.position()];
    frame.flip().get(bytes);
    return bytes;
  }
}
