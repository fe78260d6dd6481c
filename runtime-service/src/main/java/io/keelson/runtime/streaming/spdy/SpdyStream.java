package io.keelson.runtime.streaming.spdy;

import io.keelson.sandbox.stream.ByteQueue;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One stream of a connection: bytes both ways, each with its own end. One thread reads while
 * another writes; {@link #reset} may come from any.
 */
public final class SpdyStream {

  private static final int MAX_UNREAD = 256 * 1024;
  private static final int CHUNK = 32 * 1024;

  private final SpdyConnection connection;
  private final int id;
  private final Map<String, String> headers;
  private final ByteQueue input = new ByteQueue(MAX_UNREAD);
  private final AtomicBoolean inputEnded = new AtomicBoolean();
  private final AtomicBoolean outputEnded = new AtomicBoolean();

  SpdyStream(SpdyConnection connection, int id, Map<String, String> headers) {
    this.connection = connection;
    this.id = id;
    this.headers = Map.copyOf(headers);
  }

  public int id() {
    return id;
  }

  /** A header by its name in lower case; {@code ""} if the stream has none of this name. */
  public String header(String name) {
    return headers.getOrDefault(name, "");
  }

  /** What the peer sends; fails if the peer resets the stream or the connection breaks. */
  public InputStream input() {
    return input;
  }

  /** Closing it tells the peer that nothing more comes; it can still send. */
  public OutputStream output() {
    return new Output();
  }

  /** Ends both ways at once; the peer is told that something went wrong. */
  public void reset() {
    input.close();
    boolean outputWasOpen = outputEnded.compareAndSet(false, true);
    boolean inputWasOpen = inputEnded.compareAndSet(false, true);
    if (outputWasOpen || inputWasOpen) {
      connection.forget(this);
      connection.sendReset(id, Frames.CANCEL);
    }
  }

  /** By the thread that reads the connection, which waits while too much is unread. */
  void received(byte[] bytes) throws IOException {
    input.put(bytes);
  }

  void receivedEnd() {
    input.end();
    inputEnded.set(true);
    forgetIfDone();
  }

  void receivedReset() {
    broken(new IOException("stream " + id + " was reset by the client"));
    connection.forget(this);
  }

  void broken(IOException why) {
    inputEnded.set(true);
    outputEnded.set(true);
    input.fail(why);
  }

  private void forgetIfDone() {
    if (inputEnded.get() && outputEnded.get()) {
      connection.forget(this);
    }
  }

  private final class Output extends OutputStream {

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      for (int done = 0; done < length; done += CHUNK) {
        if (outputEnded.get()) {
          throw new IOException("stream " + id + " is closed");
        }
        connection.sendData(id, bytes, offset + done, Math.min(CHUNK, length - done));
      }
    }

    @Override
    public void close() throws IOException {
      if (outputEnded.compareAndSet(false, true)) {
        connection.sendEnd(id);
        forgetIfDone();
      }
    }
  }
}
