package io.keelson.csi.driver;

import io.keelson.sandbox.error.InvalidRequestException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where a driver listens. */
public sealed interface Endpoint {

  /** A unix socket. */
  record UnixSocket(Path path) implements Endpoint {
    @Override
    public String toString() {
      return "unix://" + path;
    }
  }

  /** TLS over TCP; a driver that is reached over the network is never spoken to in the clear. */
  record Tcp(String host, int port) implements Endpoint {
    @Override
    public String toString() {
      return "tcp://" + (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port;
    }
  }

  /**
   * {@code unix:///path}, {@code unix:/path}, {@code /path} or {@code tcp://host:port}.
   *
   * @throws InvalidRequestException if it is none of these
   */
  static Endpoint parse(String text) {
    Matcher unix = Pattern.compile("(?:unix:(?://)?)?(/.+)").matcher(text);
    if (unix.matches()) {
      return new UnixSocket(Path.of(unix.group(1)).normalize());
    }
    Matcher tcp =
        Pattern.compile("(?:tcp|dns)://(\\[[0-9a-fA-F:.]+]|[^:/\\[\\]]+):([0-9]{1,5})")
            .matcher(text);
    if (tcp.matches() && Integer.parseInt(tcp.group(2)) <= 0xffff) {
      return new Tcp(tcp.group(1).replaceAll("[\\[\\]]", ""), Integer.parseInt(tcp.group(2)));
    }
    throw new InvalidRequestException(
        "\"" + text + "\" is no endpoint of a driver: unix:///path or tcp://host:port");
  }
}
