package io.keelson.runtime.streaming.spdy;

import io.keelson.runtime.streaming.wire.Outbox;
import io.keelson.runtime.streaming.wire.Wire;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A connection, on either side: its client opens the streams. {@link #serve} reads it on the
 * calling thread; all else may be called from any.
 */
public final class SpdyConnection implements AutoCloseable {

  private static final int CHUNK = 32 * 1024;
  private static final int MAX_CONTROL = 64 * 1024;
  private static final int MAX_STREAMS = 2_000;

  /** Go's client waits for ever if a reply has no header at all. */
  private static final Map<String, String> REPLY = Map.of("status", "200");

  private final Wire wire;
  private final DataInputStream in;
  private final Outbox outbox;
  private final HeaderBlocks headers = new HeaderBlocks();
  private final Map<Integer, SpdyStream> streams = new ConcurrentHashMap<>();
  private final AtomicLong lastContent = new AtomicLong(System.nanoTime());
  private final AtomicInteger nextStream = new AtomicInteger(1);
  private int lastStream; // used by the reading thread alone

  public SpdyConnection(Wire wire) {
    this.wire = wire;
    this.in = new DataInputStream(wire.in());
    this.outbox = new Outbox(wire);
  }

  /** Is told of the streams that the client opens, by the thread that reads: it must not wait. */
  @FunctionalInterface
  public interface Listener {
    /** False to refuse the stream. */
    boolean opened(SpdyStream stream);
  }

  /**
   * Reads until the connection ends or breaks; all streams have ended then.
   *
   * @throws IOException if it breaks
   */
  public void serve(Listener listener) throws IOException {
    try {
      while (true) {
        int first;
        try {
          first = in.readInt();
        } catch (EOFException end) {
          return;
        }
        int second = in.readInt();
        int length = second & Frames.MAX_LENGTH;
        int flags = second >>> 24;
        if (first < 0) {
          try {
            control(first & 0xffff, flags, length, listener);
          } catch (BufferUnderflowException | IllegalArgumentException e) {
            throw new IOException("a control frame that is too short", e);
          }
        } else {
          data(first, flags, length);
        }
      }
    } finally {
      wire.close();
      IOException why = new IOException("the connection has ended");
      streams.values().forEach(stream -> stream.broken(why));
      streams.clear();
      headers.close();
    }
  }

  /** For a client: opens a stream; content may be sent at once. */
  public SpdyStream open(Map<String, String> head) throws IOException {
    int id = nextStream.getAndAdd(2);
    SpdyStream stream = new SpdyStream(this, id, head);
    streams.put(id, stream);
    outbox.send(() -> Frames.synStream(id, headers.encode(head)));
    return stream;
  }

  /** Since content came or went, either way; pings don't count. */
  public long idleNanos() {
    return System.nanoTime() - lastContent.get();
  }

  /** Ends the connection; {@link #serve} returns. */
  @Override
  public void close() {
    wire.close();
  }

  private void data(int id, int flags, int length) throws IOException {
    lastContent.set(System.nanoTime());
    SpdyStream stream = streams.get(id);
    int left = length;
    while (left > 0) {
      byte[] chunk = new byte[Math.min(left, CHUNK)];
      in.readFully(chunk);
      left -= chunk.length;
      if (stream != null) {
        stream.received(chunk);
      }
    }
    if (stream != null && (flags & Frames.FLAG_FIN) != 0) {
      stream.receivedEnd();
    }
  }

  private void control(int type, int flags, int length, Listener listener) throws IOException {
    if (length > MAX_CONTROL) {
      throw new IOException("a control frame of " + length + " bytes");
    }
    byte[] bytes = new byte[length];
    in.readFully(bytes);
    ByteBuffer content = ByteBuffer.wrap(bytes);
    switch (type) {
      case Frames.SYN_STREAM -> {
        int id = content.getInt() & Integer.MAX_VALUE;
        content.position(10);
        opened(id, flags, decode(content), listener);
      }
      case Frames.SYN_REPLY, Frames.HEADERS -> {
        content.position(4);
        var _ = decode(content); // not of interest, but the next one can't be read without
      }
      case Frames.RST_STREAM -> {
        SpdyStream stream = streams.get(content.getInt() & Integer.MAX_VALUE);
        if (stream != null) {
          stream.receivedReset();
        }
      }
      case Frames.PING -> {
        int id = content.getInt();
        if ((id & 1) == 1) { // of the client, and no answer to one of ours
          outbox.answer(() -> Frames.ping(id));
        }
      }
      default -> {} // settings, windows and farewells change nothing here
    }
  }

  private Map<String, String> decode(ByteBuffer content) throws IOException {
    byte[] block = new byte[content.remaining()];
    content.get(block);
    return headers.decode(block);
  }

  private void opened(int id, int flags, Map<String, String> head, Listener listener)
      throws IOException {
    if (id <= lastStream || (id & 1) == 0) {
      throw new IOException("the client opened stream " + id + " after " + lastStream);
    }
    lastStream = id;
    SpdyStream stream = new SpdyStream(this, id, head);
    streams.put(id, stream);
    if (streams.size() > MAX_STREAMS || !listener.opened(stream)) {
      streams.remove(id);
      sendReset(id, Frames.REFUSED_STREAM);
      return;
    }
    outbox.answer(() -> Frames.synReply(id, headers.encode(REPLY)));
    if ((flags & Frames.FLAG_FIN) != 0) {
      stream.receivedEnd();
    }
  }

  void forget(SpdyStream stream) {
    streams.remove(stream.id(), stream);
  }

  void sendData(int stream, byte[] bytes, int offset, int length) throws IOException {
    lastContent.set(System.nanoTime());
    outbox.send(() -> Frames.data(stream, false, bytes, offset, length));
  }

  void sendEnd(int stream) throws IOException {
    outbox.send(() -> Frames.data(stream, true, new byte[0], 0, 0));
  }

  void sendReset(int stream, int status) {
    outbox.answer(() -> Frames.rstStream(stream, status));
  }
}
