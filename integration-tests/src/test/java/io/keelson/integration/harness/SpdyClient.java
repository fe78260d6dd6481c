package io.keelson.integration.harness;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.zip.Deflater;
import javax.net.SocketFactory;

/**
 * SPDY/3.1 from the client's side, as far as streams of a kubelet need it: written from the
 * specification, on its own, so that it does not share the server's mistakes. It sends headers
 * compressed without the dictionary and does not read those of replies.
 */
public final class SpdyClient implements AutoCloseable {

  private static final Duration PATIENCE = Patience.ofSeconds(30);
  private static final int FIN = 1;

  private final DataInputStream in;
  private final DataOutputStream out;
  private final Closeable connection;
  private final Deflater deflater = new Deflater();
  private final Map<Integer, Stream> streams = new ConcurrentHashMap<>();
  private int next = 1;
  private volatile boolean ended;
  private final AtomicInteger pings = new AtomicInteger();

  public SpdyClient(InputStream in, OutputStream out, Closeable connection) {
    this.in = new DataInputStream(in);
    this.out = new DataOutputStream(out);
    this.connection = connection;
    Thread.ofVirtual().name("spdy-client").start(this::receive);
  }

  /** Connects, with these versions of the stream protocol on offer. */
  public static SpdyClient connect(String url, String... protocols) throws IOException {
    return connect(SocketFactory.getDefault(), url, protocols);
  }

  /** Connects by these sockets. */
  public static SpdyClient connect(SocketFactory sockets, String url, String... protocols)
      throws IOException {
    List<String> headers =
        List.of(protocols).stream().map(p -> "X-Stream-Protocol-Version: " + p).toList();
    HttpUpgrade upgrade = HttpUpgrade.ask(sockets, url, "SPDY/3.1", headers);
    if (upgrade.status() != 101) {
      throw new IOException(upgrade.head());
    }
    return new SpdyClient(upgrade.in(), upgrade.out(), upgrade::close);
  }

  /** One stream, and what has come on it. */
  public final class Stream {

    private final int id;
    private final ByteArrayOutputStream received = new ByteArrayOutputStream();
    private boolean replied;
    private boolean finished;
    private boolean reset;

    Stream(int id) {
      this.id = id;
    }

    public void send(String text) throws IOException {
      send(text.getBytes(UTF_8));
    }

    public void send(byte[] bytes) throws IOException {
      for (int done = 0; done < bytes.length; done += 32_768) {
        data(id, 0, bytes, done, Math.min(32_768, bytes.length - done));
      }
    }

    /** Ends this side. */
    public void end() throws IOException {
      data(id, FIN, new byte[0], 0, 0);
    }

    public void reset() throws IOException {
      synchronized (SpdyClient.this) {
        out.writeInt(0x8003_0003);
        out.writeInt(8);
        out.writeInt(id);
        out.writeInt(5);
        out.flush();
      }
    }

    public synchronized String text() {
      return received.toString(UTF_8);
    }

    public synchronized byte[] bytes() {
      return received.toByteArray();
    }

    public synchronized int size() {
      return received.size();
    }

    public synchronized boolean isReset() {
      return reset;
    }

    /** Waits for the server's reply to the opening. */
    public Stream awaitReply() {
      await(() -> replied || reset, "a reply");
      return this;
    }

    /** Waits until the text has come. */
    public void awaitText(String part) {
      await(() -> text().contains(part), "\"" + part + "\"");
    }

    /** Waits for the server's end of the stream, and gives all that came. */
    public String awaitEnd() {
      await(() -> finished || reset || ended, "the end");
      return text();
    }

    public void awaitReset() {
      await(() -> reset, "a reset");
    }

    private synchronized void await(BooleanSupplier condition, String what) {
      long deadline = System.nanoTime() + PATIENCE.toNanos();
      while (!condition.getAsBoolean()) {
        if (System.nanoTime() > deadline) {
          throw new AssertionError("stream " + id + ": no " + what + "; so far: " + text());
        }
        try {
          wait(50);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new IllegalStateException(e);
        }
      }
    }

    private synchronized void received(int flags, byte[] bytes) {
      received.writeBytes(bytes);
      finished |= (flags & FIN) != 0;
      notifyAll();
    }

    private synchronized void replied() {
      replied = true;
      notifyAll();
    }

    private synchronized void wasReset() {
      reset = true;
      notifyAll();
    }
  }

  /** Opens a stream with these headers ({@code name, value, …}) and waits for the reply. */
  public Stream open(String... headers) throws IOException {
    return openAtOnce(headers).awaitReply();
  }

  public synchronized Stream openAtOnce(String... headers) throws IOException {
    Map<String, String> block = new LinkedHashMap<>();
    for (int i = 0; i < headers.length; i += 2) {
      block.put(headers[i], headers[i + 1]);
    }
    byte[] compressed = compress(block);
    Stream stream = new Stream(next);
    streams.put(next, stream);
    out.writeInt(0x8003_0001);
    out.writeInt(10 + compressed.length);
    out.writeInt(next);
    out.writeInt(0);
    out.writeShort(0);
    out.write(compressed);
    out.flush();
    next += 2;
    return stream;
  }

  public Stream openType(String type) throws IOException {
    return open("streamtype", type);
  }

  /** Sends a ping; {@link #pings} counts the answers. */
  public synchronized void ping() throws IOException {
    out.writeInt(0x8003_0006);
    out.writeInt(4);
    out.writeInt(1);
    out.flush();
  }

  public int pings() {
    return pings.get();
  }

  /** True once the server has closed the connection. */
  public boolean isEnded() {
    return ended;
  }

  private byte[] compress(Map<String, String> headers) throws IOException {
    ByteArrayOutputStream plain = new ByteArrayOutputStream();
    DataOutputStream block = new DataOutputStream(plain);
    block.writeInt(headers.size());
    for (Map.Entry<String, String> header : headers.entrySet()) {
      for (String text : List.of(header.getKey(), header.getValue())) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        block.writeInt(bytes.length);
        block.write(bytes);
      }
    }
    deflater.setInput(plain.toByteArray());
    byte[] buffer = new byte[4096];
    int length = deflater.deflate(buffer, 0, buffer.length, Deflater.SYNC_FLUSH);
    return Arrays.copyOf(buffer, length);
  }

  private synchronized void data(int id, int flags, byte[] bytes, int offset, int length)
      throws IOException {
    out.writeInt(id);
    out.writeInt(flags << 24 | length);
    out.write(bytes, offset, length);
    out.flush();
  }

  private void receive() {
    try {
      while (true) {
        int first = in.readInt();
        int second = in.readInt();
        byte[] content = in.readNBytes(second & 0xffffff);
        if (first >= 0) {
          stream(first).received(second >>> 24, content);
        } else {
          control(first & 0xffff, content);
        }
      }
    } catch (IOException e) {
      ended = true;
    }
  }

  private void control(int type, byte[] content) {
    int id = ByteBuffer.wrap(content).getInt();
    switch (type) {
      case 2 -> stream(id).replied();
      case 3 -> stream(id).wasReset();
      case 6 -> pings.incrementAndGet();
      default -> {}
    }
  }

  private Stream stream(int id) {
    return Objects.requireNonNull(streams.get(id), () -> "the server speaks of stream " + id);
  }

  @Override
  public void close() throws IOException {
    connection.close();
    deflater.end();
  }
}
