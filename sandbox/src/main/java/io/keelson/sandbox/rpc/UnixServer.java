package io.keelson.sandbox.rpc;

import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * A small gRPC server on a unix socket that plugins or monitors call, each call on a virtual thread
 * of its own. {@link #close} may be called from any thread, and more than once.
 */
public final class UnixServer implements AutoCloseable {

  private final Path socket;
  private final EventLoopGroup events;
  private final ExecutorService calls;
  private final Server server;

  private UnixServer(Path socket, EventLoopGroup events, ExecutorService calls, Server server) {
    this.socket = socket;
    this.events = events;
    this.calls = calls;
    this.server = server;
  }

  /**
   * Serves when it returns. Whatever lies at the path is replaced: the caller owns the folder.
   *
   * @param socket at most 107 bytes long (unix(7)); its folder is made if need be
   */
  public static UnixServer start(Path socket, List<BindableService> services) throws IOException {
    Path folder = socket.getParent();
    if (folder != null) {
      Files.createDirectories(folder);
    }
    Files.deleteIfExists(socket);
    EventLoopGroup events = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    ExecutorService calls =
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("plugin-call-", 0).factory());
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
            .channelType(EpollServerDomainSocketChannel.class)
            .bossEventLoopGroup(events)
            .workerEventLoopGroup(events)
            // An option of TCP that gRPC sets by itself and that a unix socket warns of.
            .withChildOption(ChannelOption.SO_KEEPALIVE, null)
            .executor(calls);
    services.forEach(builder::addService);
    UnixServer server = new UnixServer(socket, events, calls, builder.build());
    try {
      server.server.start();
    } catch (IOException | RuntimeException e) {
      server.close();
      throw e;
    }
    return server;
  }

  public Path socket() {
    return socket;
  }

  /** Ends all calls at once and takes the socket's file away. */
  @Override
  public void close() throws IOException {
    server.shutdownNow();
    try {
      // The ends of the calls still run on both, and complain if they are gone.
      server.awaitTermination(1, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    calls.shutdownNow();
    var _ = events.shutdownGracefully(0, 100, TimeUnit.MILLISECONDS);
    Files.deleteIfExists(socket);
  }
}
