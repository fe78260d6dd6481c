package io.keelson.runtime.streaming;

import io.keelson.runtime.streaming.websocket.WebSocketConnection;
import io.keelson.sandbox.port.ExecSession;
import io.keelson.sandbox.stream.ByteQueue;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/**
 * An exec or attach over WebSocket: the first byte of each message is the number of a channel. With
 * version 5 a client can end its standard input; in the variants of base 64 messages are text.
 */
final class WebSocketCommandChannels implements CommandChannels {

  /** The versions, the best first. */
  static final List<String> PROTOCOLS =
      List.of(
          "v5.channel.k8s.io",
          "v4.channel.k8s.io",
          "v4.base64.channel.k8s.io",
          "channel.k8s.io",
          "base64.channel.k8s.io");

  private static final int STDIN = 0;
  private static final int STDOUT = 1;
  private static final int STDERR = 2;
  private static final int ERROR = 3;
  private static final int RESIZE = 4;
  private static final int CLOSE = 255;

  private static final int MAX_UNREAD = 256 * 1024;
  private static final byte[] NOTHING = {};

  private final WebSocketConnection connection;
  private final ExecSession.Wanted wanted;
  private final boolean base64;
  private final boolean json;
  private final boolean closable;
  private final ByteQueue stdin = new ByteQueue(MAX_UNREAD);
  private final ByteQueue resizes = new ByteQueue(MAX_UNREAD);

  /**
   * The channels of a connection that has just been upgraded.
   *
   * @param protocol one of {@link #PROTOCOLS}, or empty for a client that names none
   */
  WebSocketCommandChannels(
      WebSocketConnection connection, String protocol, ExecSession.Wanted wanted) {
    this.connection = connection;
    this.wanted = wanted;
    this.base64 = protocol.contains("base64");
    this.closable = protocol.startsWith("v5.");
    this.json = closable || protocol.startsWith("v4.");
  }

  @Override
  public void serve() throws IOException {
    try {
      for (byte[] message = connection.receive(); message != null; message = connection.receive()) {
        if (message.length > 0) {
          received(message);
        }
      }
    } finally {
      connection.close();
      IOException why = new IOException("the connection has ended");
      stdin.fail(why);
      resizes.fail(why);
    }
  }

  private void received(byte[] message) throws IOException {
    int channel = message[0] & 0xff;
    byte[] content = Arrays.copyOfRange(message, 1, message.length);
    if (base64) {
      channel -= '0';
      try {
        content = Base64.getDecoder().decode(content);
      } catch (IllegalArgumentException e) {
        throw new IOException("a message that is not base 64", e);
      }
    }
    switch (channel) {
      case STDIN -> stdin.put(content);
      case RESIZE -> resizes.put(content);
      case CLOSE -> {
        if (closable && content.length == 1 && content[0] == STDIN) {
          stdin.end();
        }
      }
      default -> {} // a client has nothing to say on the others
    }
  }

  /** They are open from the beginning; who waits for the first sign of it gets an empty message. */
  @Override
  public void awaitOpen(Duration timeout) throws IOException {
    send(wanted.stdout() ? STDOUT : wanted.stderr() ? STDERR : ERROR, NOTHING, 0, 0);
  }

  @Override
  public InputStream stdin() {
    return wanted.stdin() ? stdin : InputStream.nullInputStream();
  }

  @Override
  public InputStream resizes() {
    return resizes;
  }

  @Override
  public OutputStream stdout() {
    return wanted.stdout() ? new Channel(STDOUT) : OutputStream.nullOutputStream();
  }

  @Override
  public OutputStream stderr() {
    return wanted.stderr() ? new Channel(STDERR) : OutputStream.nullOutputStream();
  }

  @Override
  public void finish(CommandStatus status) throws IOException {
    byte[] text = json ? status.json() : status.plain();
    if (text.length > 0) {
      send(ERROR, text, 0, text.length);
    }
    connection.sendClose();
  }

  private void send(int channel, byte[] bytes, int offset, int length) throws IOException {
    if (!base64) {
      connection.sendBinary(new byte[] {(byte) channel}, bytes, offset, length);
      return;
    }
    byte[] encoded = Base64.getEncoder().encode(Arrays.copyOfRange(bytes, offset, offset + length));
    byte[] text = new byte[1 + encoded.length];
    text[0] = (byte) ('0' + channel);
    System.arraycopy(encoded, 0, text, 1, encoded.length);
    connection.sendText(text);
  }

  @Override
  public long idleNanos() {
    return connection.idleNanos();
  }

  @Override
  public void close() {
    connection.close();
  }

  private final class Channel extends OutputStream {

    private final int number;

    Channel(int number) {
      this.number = number;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      send(number, bytes, offset, length);
    }
  }
}
