package io.keelson.csi.driver;

import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
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
              .sslContext(sslContext().build())
              .directExecutor()
              .maxInboundMessageSize(UnixChannels.DEFAULT_MESSAGE_SIZE)
              .build();
    };
  }

  private SslContextBuilder sslContext() {
    SslContextBuilder builder = GrpcSslContexts.forClient();
    tls.authority().ifPresent(file -> builder.trustManager(file.toFile()));
    if (tls.certificate().isPresent() && tls.key().isPresent()) {
      builder.keyManager(tls.certificate().get().toFile(), tls.key().get().toFile());
    }
    return builder;
  }
}
