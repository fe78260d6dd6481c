package io.keelson.runtime.streaming.wire;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;

/** A connection by TCP, with or without TLS. */
public final class SocketWire implements Wire {

  private static final int BUFFER = 8 * 1024;

  private final Socket connection;
  private final InputStream in;
  private final OutputStream out;

  /**
   * A connection that is open.
   *
   * @param socket what is read and written
   * @param connection what is closed: with TLS the connection below, since closing TLS waits for
   *     the peer to take the farewell
   */
  public SocketWire(Socket socket, Socket connection) throws IOException {
    this.connection = connection;
    this.in = new BufferedInputStream(socket.getInputStream(), BUFFER);
    this.out = socket.getOutputStream();
  }

  @Override
  public InputStream in() {
    return in;
  }

  @Override
  public OutputStream out() {
    return out;
  }

  @Override
  public void close() {
    try {
      connection.close();
    } catch (IOException e) {
      // Its descriptor has gone, and the peer sees the end of the connection.
    }
  }
}
