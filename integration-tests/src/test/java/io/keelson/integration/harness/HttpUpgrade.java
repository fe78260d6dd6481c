package io.keelson.integration.harness;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.util.List;
import javax.net.SocketFactory;

/**
 * A connection on which an upgrade was asked for, and the head of what the server answered.
 *
 * @param in what follows the head
 */
public record HttpUpgrade(Socket socket, InputStream in, OutputStream out, String head)
    implements AutoCloseable {

  /** Asks for an upgrade of the URL of a stream, over plain TCP. */
  public static HttpUpgrade ask(String url, String protocol, List<String> headers)
      throws IOException {
    return ask(SocketFactory.getDefault(), url, protocol, headers);
  }

  /** Asks for it over connections that these sockets make. */
  public static HttpUpgrade ask(
      SocketFactory sockets, String url, String protocol, List<String> headers) throws IOException {
    URI uri = URI.create(url);
    return ask(sockets.createSocket(uri.getHost(), uri.getPort()), uri, protocol, headers);
  }

  public static HttpUpgrade ask(Socket socket, URI uri, String protocol, List<String> headers)
      throws IOException {
    StringBuilder request = new StringBuilder("POST " + uri.getPath() + " HTTP/1.1\r\n");
    request.append("Host: ").append(uri.getAuthority()).append("\r\n");
    if (!protocol.isEmpty()) {
      request.append("Connection: Upgrade\r\nUpgrade: ").append(protocol).append("\r\n");
    }
    headers.forEach(header -> request.append(header).append("\r\n"));
    socket.setTcpNoDelay(true);
    OutputStream out = socket.getOutputStream();
    out.write(request.append("\r\n").toString().getBytes(ISO_8859_1));
    out.flush();
    InputStream in = new BufferedInputStream(socket.getInputStream());
    ByteArrayOutputStream head = new ByteArrayOutputStream();
    while (!head.toString(ISO_8859_1).endsWith("\r\n\r\n")) {
      int b = in.read();
      if (b < 0) {
        break;
      }
      head.write(b);
    }
    return new HttpUpgrade(socket, in, out, head.toString(ISO_8859_1));
  }

  /** Of the answer, such as 101. */
  public int status() {
    return Integer.parseInt(head.split(" ", 3)[1]);
  }

  /** Vanishes without a word: the server's next packet is answered by a reset, as is this one. */
  public void abort() throws IOException {
    socket.setSoLinger(true, 0);
    socket.close();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
