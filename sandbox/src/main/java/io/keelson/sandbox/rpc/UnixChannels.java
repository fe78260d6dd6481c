package io.keelson.sandbox.rpc;

import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * Makes gRPC channels to unix sockets; all of them share one event loop, whose thread starts with
 * the first call. Safe for use by many threads. Callers shut their channels down; {@link #close}
 * ends those that are left.
 */
public final class UnixChannels implements AutoCloseable {

  /** What a kubelet takes from a runtime or a plugin, bytes. */
  public static final int DEFAULT_MESSAGE_SIZE = 16 << 20;

  private final EventLoopGroup events =
      new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());

  /** As {@link #open(Path, int)} with {@link #DEFAULT_MESSAGE_SIZE}. */
  public ManagedChannel open(Path socket) {
    return open(socket, DEFAULT_MESSAGE_SIZE);
  }

  /**
   * A channel that connects at its first call, and again when a connection is lost: a socket that
   * is not there ends a call with UNAVAILABLE.
   *
   * <p>Callbacks of asynchronous stubs run on the event loop and must not block; blocking stubs
   * wait on the caller's own thread.
   *
   * @param socket at most 107 bytes long (unix(7))
   * @param maxMessageSize of a response, bytes
   */
  public ManagedChannel open(Path socket, int maxMessageSize) {
    return NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
        .channelType(EpollDomainSocketChannel.class)
        .eventLoopGroup(events)
        // An option of TCP that gRPC sets by itself and that a unix socket warns of.
        .withOption(ChannelOption.SO_KEEPALIVE, null)
        // The authority of a unix socket is its path, which servers in other languages refuse.
        .overrideAuthority("localhost")
        .usePlaintext()
        .directExecutor()
        .maxInboundMessageSize(maxMessageSize)
        .build();
  }

  @Override
  public void close() {
    var _ = events.shutdownGracefully(0, 100, TimeUnit.MILLISECONDS);
  }
}
