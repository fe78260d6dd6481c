package io.keelson.runtime.cli;

import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.keelson.proto.cri.v1.ImageServiceGrpc;
import io.keelson.proto.cri.v1.ImageServiceGrpc.ImageServiceBlockingStub;
import io.keelson.proto.cri.v1.RuntimeServiceGrpc;
import io.keelson.proto.cri.v1.RuntimeServiceGrpc.RuntimeServiceBlockingStub;
import io.keelson.proto.node.v1.NodeServiceGrpc;
import io.keelson.proto.node.v1.NodeServiceGrpc.NodeServiceBlockingStub;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** A connection to the daemon. */
final class CriClient implements AutoCloseable {

  /** An exec may answer with 16 MiB of each stream. */
  private static final int MAX_MESSAGE_SIZE = 64 << 20;

  private final EventLoopGroup events;
  private final ManagedChannel channel;

  private CriClient(EventLoopGroup events, ManagedChannel channel) {
    this.events = events;
    this.channel = channel;
  }

  /**
   * Connects at the first call.
   *
   * @throws CommandException if there is no socket, or it is not for this user
   */
  static CriClient connect(Path socket) {
    if (Files.notExists(socket)) {
      throw new CommandException(
          ExitCode.UNREACHABLE,
          "no daemon serves "
              + socket
              + "; start it with \"keelson serve\", or name its socket with --socket");
    }
    if (!Files.isWritable(socket)) {
      throw new CommandException(
          ExitCode.UNREACHABLE,
          "you may not use " + socket + "; run this as root or as a member of the socket's group");
    }
    EventLoopGroup events = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
            .channelType(EpollDomainSocketChannel.class)
            .eventLoopGroup(events)
            // An option of TCP that gRPC sets by itself and that a unix socket warns of.
            .withOption(ChannelOption.SO_KEEPALIVE, null)
            .overrideAuthority("localhost")
            .usePlaintext()
            .directExecutor()
            .maxInboundMessageSize(MAX_MESSAGE_SIZE)
            .build();
    return new CriClient(events, channel);
  }

  RuntimeServiceBlockingStub runtime() {
    return RuntimeServiceGrpc.newBlockingStub(channel);
  }

  ImageServiceBlockingStub images() {
    return ImageServiceGrpc.newBlockingStub(channel);
  }

  NodeServiceBlockingStub node() {
    return NodeServiceGrpc.newBlockingStub(channel);
  }

  @Override
  public void close() {
    channel.shutdownNow();
    var _ = events.shutdownGracefully(0, 100, TimeUnit.MILLISECONDS);
  }
}
