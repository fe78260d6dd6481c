package io.keelson.runtime.streaming.websocket;

import io.keelson.runtime.streaming.wire.Wire;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/** Another protocol within the messages of a WebSocket, as a plain connection. */
public final class WebSocketTunnel implements Wire {

  private static final byte[] NO_PREFIX = {};

  private final WebSocketConnection connection;
  private final Input input = new Input();
  private final Output output = new Output();

  public WebSocketTunnel(WebSocketConnection connection) {
    this.connection = connection;
  }

  @Override
  public InputStream in() {
    return input;
  }

  @Override
  public OutputStream out() {
    return output;
  }

  @Override
  public void close() {
    connection.close();
  }

  private final class Input extends InputStream {

    private byte @Nullable [] message = {};
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
      while (message != null && taken == message.length) {
        message = connection.receive();
        taken = 0;
      }
      if (message == null) {
        return -1;
      }
      int count = Math.min(length, message.length - taken);
      System.arraycopy(message, taken, buffer, offset, count);
      taken += count;
      return count;
    }
  }

  private final class Output extends OutputStream {

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      connection.sendBinary(NO_PREFIX, bytes, offset, length);
    }
  }
}
