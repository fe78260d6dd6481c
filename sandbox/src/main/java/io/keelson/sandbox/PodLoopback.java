package io.keelson.sandbox;

import io.keelson.linux.NamespaceType;
import io.keelson.linux.Namespaces;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnknownHostException;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Connections to the loopback of a pod. A socket belongs for good to the network namespace of the
 * thread that made it, so only its making needs a thread in there.
 */
final class PodLoopback {

  private PodLoopback() {}

  /** To whoever listens: by IPv4, and if there is nobody, by IPv6. */
  static SocketChannel connect(Core core, String podId, int port) throws IOException {
    PodEntry pod = core.pods().get(podId);
    Path namespace = pod.context(core.settings()).namespaces().get(NamespaceType.NET);
    try {
      return connect(namespace, StandardProtocolFamily.INET, new byte[] {127, 0, 0, 1}, port);
    } catch (ConnectException refused) {
      byte[] loopback = new byte[16];
      loopback[15] = 1;
      try {
        return connect(namespace, StandardProtocolFamily.INET6, loopback, port);
      } catch (IOException | UnsupportedOperationException second) { // a host without IPv6
        refused.addSuppressed(second);
        throw refused;
      }
    }
  }

  private static SocketChannel connect(
      @Nullable Path namespace, StandardProtocolFamily family, byte[] address, int port)
      throws IOException {
    SocketChannel channel =
        namespace == null
            ? SocketChannel.open(family)
            : Namespaces.callIn(namespace, NamespaceType.NET, () -> SocketChannel.open(family));
    try {
      channel.connect(new InetSocketAddress(address(address), port));
      return channel;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static InetAddress address(byte[] bytes) throws UnknownHostException {
    return InetAddress.getByAddress(bytes);
  }
}
