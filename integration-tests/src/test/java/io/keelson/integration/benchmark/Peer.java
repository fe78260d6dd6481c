package io.keelson.integration.benchmark;

import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.keelson.proto.cri.v1.RuntimeServiceGrpc;
import io.keelson.proto.cri.v1.RuntimeServiceGrpc.RuntimeServiceBlockingStub;
import java.io.File;

/**
 * A runtime that takes part: any that serves CRI v1 on a unix socket and has the image.
 *
 * @param name in the table
 * @param handler its runtime handler, empty for its default
 * @param image what its containers run; its {@code sleep} and {@code true} are used
 */
record Peer(
    String name, String handler, String image, EventLoopGroup events, ManagedChannel channel)
    implements AutoCloseable {

  /** {@code NAME[/HANDLER]=SOCKET=IMAGE}. */
  static Peer parse(String argument) {
    String[] parts = argument.split("=", 3);
    if (parts.length != 3) {
      throw new IllegalArgumentException("not NAME[/HANDLER]=SOCKET=IMAGE: " + argument);
    }
    int slash = parts[0].indexOf('/');
    EventLoopGroup events = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    return new Peer(
        parts[0],
        slash < 0 ? "" : parts[0].substring(slash + 1),
        parts[2],
        events,
        NettyChannelBuilder.forAddress(new DomainSocketAddress(new File(parts[1])))
            .eventLoopGroup(events)
            .channelType(EpollDomainSocketChannel.class)
            .withOption(ChannelOption.SO_KEEPALIVE, null)
            .overrideAuthority("localhost")
            .usePlaintext()
            .directExecutor()
            .build());
  }

  RuntimeServiceBlockingStub calls() {
    return RuntimeServiceGrpc.newBlockingStub(channel);
  }

  @Override
  public void close() {
    channel.shutdownNow();
    events.shutdownGracefully();
  }
}
