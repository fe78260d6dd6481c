package io.keelson.csi.driver;

import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.keelson.sandbox.rpc.UnixChannels;
import java.io.IOException;

/** Makes channels to drivers. Safe for use by many threads. */
final class Channels {

  private final UnixChannels unix;
  private final TlsFiles tls;

  Channels(UnixChannels unix, TlsFiles tls) {
    this.unix = unix;
    this.tls = tls;
  }

  /**
   * A channel that connects at its first call.
   *
   * @throws IOException if a file of certificates can't be read
   */
  ManagedChannel open(Endpoint endpoint) throws IOException {
    return switch (endpoint) {
      case Endpoint.UnixSocket socket -> unix.open(socket.path());
      case Endpoint.Tcp tcp ->
          NettyChannelBuilder.forAddress(tcp.host(), tcp.port())
              .sslContext(RenewedSslContext.open(tls))
              .directExecutor()
              .maxInboundMessageSize(UnixChannels.DEFAULT_MESSAGE_SIZE)
              .build();
    };
  }
}
