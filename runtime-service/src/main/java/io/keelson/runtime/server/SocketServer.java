package io.keelson.runtime.server;

import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.ServerInterceptors;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * gRPC on a unix socket; {@link CallThreads} says on which thread a call runs. {@link #close} may
 * be called from any thread.
 */
public final class SocketServer implements AutoCloseable {

  /** Bytes that a caller may send before the daemon has taken them. */
  private static final int FLOW_CONTROL_WINDOW = 1 << 20;

  private final SocketFile file;
  private final EventLoopGroup events;
  private final ExecutorService calls;
  private final Server server;

  private SocketServer(
      SocketFile file, EventLoopGroup events, ExecutorService calls, Server server) {
    this.file = file;
    this.events = events;
    this.calls = calls;
    this.server = server;
  }

  /**
   * Where and how to serve.
   *
   * @param group the group that may connect, by name or number
   * @param maxMessageSize of a request, bytes
   */
  public record Settings(Path socket, String group, int maxMessageSize) {}

  /**
   * Serves when it returns.
   *
   * @throws IOException if something else is served at the path, or the kernel refuses
   */
  public static SocketServer start(
      Settings settings, CallInterceptor interceptor, List<BindableService> services)
      throws IOException {
    SocketFile file = new SocketFile(settings.socket(), settings.group());
    Path bindTo = file.prepare();
    EventLoopGroup events = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    ExecutorService calls =
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("call-", 0).factory());
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(new DomainSocketAddress(bindTo.toFile()))
            .channelType(EpollServerDomainSocketChannel.class)
            .bossEventLoopGroup(events)
            .workerEventLoopGroup(events)
            // An option of TCP that gRPC sets by itself and that a unix socket warns of.
            .withChildOption(ChannelOption.SO_KEEPALIVE, null)
            .directExecutor()
            // A fixed window: else each request is followed by a ping that measures the connection.
            .flowControlWindow(FLOW_CONTROL_WINDOW)
            .maxInboundMessageSize(settings.maxMessageSize());
    CallThreads threads = new CallThreads(calls);
    services.forEach(
        s -> builder.addService(ServerInterceptors.interceptForward(s, threads, interceptor)));
    SocketServer server = new SocketServer(file, events, calls, builder.build());
    try {
      server.server.start();
      file.publish();
    } catch (IOException | RuntimeException e) {
      server.close();
      throw e;
    }
    return server;
  }

  /** Takes no more calls, waits for those under way at most so long, and is gone then. */
  public void stop(Duration grace) throws IOException {
    file.delete();
    server.shutdown();
    try {
      if (!server.awaitTermination(grace.toMillis(), TimeUnit.MILLISECONDS)) {
        server.shutdownNow();
      }
    } catch (InterruptedException e) {
      server.shutdownNow();
      Thread.currentThread().interrupt();
    }
    calls.shutdown();
    var _ = events.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }

  @Override
  public void close() throws IOException {
    stop(Duration.ZERO);
  }
}
