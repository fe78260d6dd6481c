package io.keelson.runtime.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.keelson.proto.cri.v1.ContainerEventResponse;
import io.keelson.proto.cri.v1.GetEventsRequest;
import io.keelson.proto.cri.v1.PodSandboxStatus;
import io.keelson.proto.cri.v1.RuntimeServiceGrpc;
import io.keelson.proto.cri.v1.RuntimeServiceGrpc.RuntimeServiceImplBase;
import io.keelson.sandbox.event.EventHub;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class EventCallsTest {

  private static final String BULK = "x".repeat(20_000);

  private final EventHub hub = new EventHub();
  private final EventLoopGroup loop =
      new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
  private SocketServer server;
  private ManagedChannel channel;

  @BeforeEach
  void start(@TempDir Path folder) throws Exception {
    ReadinessGate gate = new ReadinessGate();
    gate.open();
    EventCalls calls = new EventCalls(hub);
    Path socket = folder.resolve("s.sock");
    server =
        SocketServer.start(
            new SocketServer.Settings(socket, "root", 1 << 20),
            new CallInterceptor(gate),
            List.of(
                new RuntimeServiceImplBase() {
                  @Override
                  public void getContainerEvents(
                      GetEventsRequest request, StreamObserver<ContainerEventResponse> answers) {
                    calls.stream((ServerCallStreamObserver<ContainerEventResponse>) answers);
                  }
                }));
    channel =
        NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
            .eventLoopGroup(loop)
            .channelType(EpollDomainSocketChannel.class)
            .withOption(ChannelOption.SO_KEEPALIVE, null)
            .overrideAuthority("localhost")
            .usePlaintext()
            .build();
  }

  @AfterEach
  void end() throws Exception {
    channel.shutdownNow();
    awaitReaders(0);
    server.close();
    var _ = loop.shutdownGracefully(0, 0, TimeUnit.SECONDS);
  }

  private Iterator<ContainerEventResponse> open() throws InterruptedException {
    int before = hub.readers();
    Iterator<ContainerEventResponse> stream =
        RuntimeServiceGrpc.newBlockingStub(channel)
            .getContainerEvents(GetEventsRequest.getDefaultInstance());
    awaitReaders(before + 1);
    return stream;
  }

  private void awaitReaders(int count) throws InterruptedException {
    while (hub.readers() != count) {
      Thread.sleep(5);
    }
  }

  private void publish(int count) {
    for (int i = 0; i < count; i++) {
      String id = "c" + i;
      hub.publish(
          time ->
              ContainerEventResponse.newBuilder()
                  .setContainerId(id)
                  .setCreatedAt(time)
                  .setPodSandboxStatus(PodSandboxStatus.newBuilder().setId(BULK))
                  .build());
    }
  }

  @Test
  void aReaderThatIsTooSlowGetsAnUnbrokenRowAndThenAClearStatus() throws Exception {
    Iterator<ContainerEventResponse> stream = open();
    publish(3000);
    awaitReaders(0);
    assertThat(hub.overflows()).isEqualTo(1);

    int[] read = new int[1];
    assertThatThrownBy(
            () -> {
              while (stream.hasNext()) {
                assertThat(stream.next().getContainerId()).isEqualTo("c" + read[0]);
                read[0]++;
              }
            })
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED));
    assertThat(read[0]).isBetween(1024, 2900);
  }

  @Test
  void aReaderThatKeepsUpLosesNothing() throws Exception {
    Iterator<ContainerEventResponse> stream = open();
    Thread writer = Thread.ofVirtual().start(() -> publish(800));
    for (int i = 0; i < 800; i++) {
      assertThat(stream.next().getContainerId()).isEqualTo("c" + i);
    }
    writer.join();
  }

  @Test
  void aCallerThatGoesIsForgotten() throws Exception {
    open();
    channel.shutdownNow();
    awaitReaders(0);
  }
}
