package io.keelson.integration.harness;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A proxy on the loopback that wants a password (RFC 9110, CONNECT and Basic), and leads all
 * tunnels to one server, whatever name they are for.
 */
public final class LoginProxy implements AutoCloseable {

  private static final String LOGIN = "node:p@ss";

  private final ServerSocket listener;
  private final List<String> tunnels = new CopyOnWriteArrayList<>();
  private volatile URI target = URI.create("http://127.0.0.1:1");

  private LoginProxy(ServerSocket listener) {
    this.listener = listener;
  }

  public static LoginProxy start() {
    try {
      LoginProxy proxy = new LoginProxy(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()));
      Thread.startVirtualThread(proxy::accept);
      return proxy;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** As the environment names it, with the password. */
  public String url() {
    return "http://node:p%40ss@127.0.0.1:" + listener.getLocalPort();
  }

  /**
   * @param host {@code host:port}, where all tunnels lead from now on
   */
  public void leadTo(String host) {
    target = URI.create("http://" + host);
  }

  /** The servers that tunnels were made for. */
  public List<String> tunnels() {
    return List.copyOf(tunnels);
  }

  private void accept() {
    try {
      while (true) {
        Socket client = listener.accept();
        Thread.startVirtualThread(() -> serve(client));
      }
    } catch (IOException e) {
      // Closed.
    }
  }

  private void serve(Socket client) {
    String login = Base64.getEncoder().encodeToString(LOGIN.getBytes(US_ASCII));
    try (client) {
      OutputStream answer = client.getOutputStream();
      String head = head(client.getInputStream());
      if (!head.matches("(?si).*\r\nproxy-authorization: basic \\Q" + login + "\\E\r\n.*")) {
        answer.write(
            "HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                .getBytes(US_ASCII));
        return;
      }
      try (Socket server = new Socket(target.getHost(), target.getPort())) {
        tunnels.add(head.split(" ", 3)[1]);
        answer.write("HTTP/1.1 200 Connected\r\n\r\n".getBytes(US_ASCII));
        Thread back = Thread.startVirtualThread(() -> pour(server, client));
        pour(client, server);
        back.join();
      }
    } catch (IOException e) {
      // One of the two has gone, and the other goes with it.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static String head(InputStream in) throws IOException {
    StringBuilder head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      int read = in.read();
      if (read < 0) {
        throw new IOException("no end of a request's head");
      }
      head.append((char) read);
    }
    return head.toString();
  }

  private static void pour(Socket from, Socket to) {
    try (OutputStream out = to.getOutputStream()) {
      from.getInputStream().transferTo(out);
    } catch (IOException e) {
      // The end of the tunnel.
    }
  }

  @Override
  public void close() throws IOException {
    listener.close();
  }
}
