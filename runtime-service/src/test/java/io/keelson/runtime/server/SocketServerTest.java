package io.keelson.runtime.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

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
import io.grpc.stub.StreamObserver;
import io.keelson.proto.cri.v1.ListContainersRequest;
import io.keelson.proto.cri.v1.RuntimeServiceGrpc;
import io.keelson.proto.cri.v1.RuntimeServiceGrpc.RuntimeServiceBlockingStub;
import io.keelson.proto.cri.v1.RuntimeServiceGrpc.RuntimeServiceImplBase;
import io.keelson.proto.cri.v1.StopContainerRequest;
import io.keelson.proto.cri.v1.StopContainerResponse;
import io.keelson.proto.cri.v1.VersionRequest;
import io.keelson.proto.cri.v1.VersionResponse;
import io.keelson.sandbox.error.AlreadyExistsException;
import io.keelson.sandbox.error.DeadlineExceededException;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.error.ResourceExhaustedException;
import io.keelson.sandbox.error.UnavailableException;
import io.keelson.sandbox.error.UnsupportedException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.MDC;

/**
 * The edge over a real unix socket, with a service that does what a test says in place of the core.
 */
class SocketServerTest {

  @TempDir private Path folder;

  private final ReadinessGate gate = new ReadinessGate();
  private final FakeService service = new FakeService();
  private final EventLoopGroup events =
      new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());

  @AfterEach
  void endClient() {
    var _ = events.shutdownGracefully(0, 0, TimeUnit.SECONDS);
  }

  private static final class FakeService extends RuntimeServiceImplBase {
    volatile Answers.Work<StopContainerResponse> stop = StopContainerResponse::getDefaultInstance;

    @Override
    public void version(VersionRequest request, StreamObserver<VersionResponse> answers) {
      Answers.one(
          answers, () -> VersionResponse.newBuilder().setVersion(request.getVersion()).build());
    }

    @Override
    public void stopContainer(
        StopContainerRequest request, StreamObserver<StopContainerResponse> answers) {
      Answers.one(answers, stop);
    }
  }

  @Test
  void eachErrorOfTheCoreHasItsStatusCodeAndItsWords() throws Exception {
    gate.open();
    try (SocketServer _ = start()) {
      assertThat(codeOf(new NotFoundException("x"))).isEqualTo(Status.Code.NOT_FOUND);
      assertThat(codeOf(new InvalidRequestException("x"))).isEqualTo(Status.Code.INVALID_ARGUMENT);
      assertThat(codeOf(new AlreadyExistsException("x"))).isEqualTo(Status.Code.ALREADY_EXISTS);
      assertThat(codeOf(new FailedPreconditionException("x")))
          .isEqualTo(Status.Code.FAILED_PRECONDITION);
      assertThat(codeOf(new ResourceExhaustedException("x")))
          .isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
      assertThat(codeOf(new DeadlineExceededException("x")))
          .isEqualTo(Status.Code.DEADLINE_EXCEEDED);
      assertThat(codeOf(new UnavailableException("x"))).isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(codeOf(new UnsupportedException("x"))).isEqualTo(Status.Code.UNIMPLEMENTED);
      assertThat(codeOf(new OperationFailedException("x"))).isEqualTo(Status.Code.UNKNOWN);
      assertThat(statusOf(new OperationFailedException("crun said no")).getDescription())
          .isEqualTo("crun said no");
    }
  }

  @Test
  void aDefectIsAnInternalErrorAndTheServerGoesOn() throws Exception {
    gate.open();
    try (SocketServer _ = start()) {
      Status status = statusOf(new IllegalStateException("a bug"));

      assertThat(status.getCode()).isEqualTo(Status.Code.INTERNAL);
      assertThat(status.getDescription()).contains("a bug");
      service.stop =
          () -> {
            throw new StackOverflowError("an error that is no exception");
          };
      assertThat(stop().getCode()).isEqualTo(Status.Code.INTERNAL);
      service.stop = StopContainerResponse::getDefaultInstance;
      assertThat(stop().getCode()).isEqualTo(Status.Code.OK);
    }
  }

  @Test
  void aFullDiskIsToldAsSuch() throws Exception {
    gate.open();
    try (SocketServer _ = start()) {
      service.stop =
          () -> {
            throw new IOException("/var/lib/keelson/x: No space left on device");
          };

      Status status = stop();

      assertThat(status.getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
      assertThat(status.getDescription()).startsWith("disk full: /var/lib/keelson/x");
    }
  }

  @Test
  void aLongMessageStillReachesTheCaller() throws Exception {
    gate.open();
    try (SocketServer _ = start()) {
      String words = "ä".repeat(20_000); // would not fit into the trailers, percent-encoded

      Status status = statusOf(new OperationFailedException("crun: " + words));

      assertThat(status.getCode()).isEqualTo(Status.Code.UNKNOWN);
      assertThat(status.getDescription()).startsWith("crun: ä").endsWith(" ...");
    }
  }

  @Test
  void beforeRecoveryHasEndedOnlyVersionAndStatusAreAnswered() throws Exception {
    try (SocketServer _ = start()) {
      assertThat(version("1")).isEqualTo("1");
      Status refused = stop();
      assertThat(refused.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(refused.getDescription()).isEqualTo("server is not initialized yet");

      gate.open();

      assertThat(stop().getCode()).isEqualTo(Status.Code.OK);
    }
  }

  @Test
  void whatIsNotThereYetIsUnimplemented() throws Exception {
    gate.open();
    try (SocketServer _ = start()) {
      Status status = call(stub -> stub.listContainers(ListContainersRequest.getDefaultInstance()));

      assertThat(status.getCode()).isEqualTo(Status.Code.UNIMPLEMENTED);
    }
  }

  @Test
  void linesThatAHandlerLogsCarryTheContainerOfTheCall() throws Exception {
    gate.open();
    AtomicReference<String> seen = new AtomicReference<>();
    service.stop =
        () -> {
          seen.set(MDC.get("container"));
          return StopContainerResponse.getDefaultInstance();
        };
    try (SocketServer _ = start()) {
      stop();
    }

    assertThat(seen).hasValue("c0ffee");
  }

  @Test
  void handlersThatBlockDoNotHoldUpOthers() throws Exception {
    gate.open();
    CountDownLatch release = new CountDownLatch(1);
    service.stop =
        () -> {
          try {
            release.await(20, TimeUnit.SECONDS);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          return StopContainerResponse.getDefaultInstance();
        };
    try (SocketServer _ = start()) {
      List<Thread> blocked =
          java.util.stream.IntStream.range(0, 50)
              .mapToObj(_ -> Thread.startVirtualThread(this::stopQuietly))
              .toList();

      assertThat(version("2")).isEqualTo("2");

      release.countDown();
      for (Thread thread : blocked) {
        thread.join();
      }
    }
  }

  @Test
  void theSocketIsForItsGroupAndNobodyElse() throws Exception {
    try (SocketServer _ = start("1")) { // by number
      PosixFileAttributes attributes = Files.readAttributes(socket(), PosixFileAttributes.class);

      assertThat(PosixFilePermissions.toString(attributes.permissions())).isEqualTo("rw-rw----");
      assertThat(Files.getAttribute(socket(), "unix:gid")).isEqualTo(1);
    }
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void anUnknownGroupIsRefusedAndNothingIsLeft() {
    assertThatThrownBy(() -> start("no-such-group").close())
        .isInstanceOf(IOException.class)
        .hasMessageContaining("no group is named \"no-such-group\"")
        .hasMessageContaining("socket_group");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void theSocketOfADaemonThatDiedIsReplaced() throws Exception {
    try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      dead.bind(UnixDomainSocketAddress.of(socket()));
    } // the file stays when the socket is closed
    assertThat(socket()).exists();
    Files.createFile(folder.resolve("keelson.sock.new")); // and what it had begun to make

    try (SocketServer _ = start()) {
      assertThat(version("3")).isEqualTo("3");
    }
  }

  @Test
  void aSocketThatIsServedIsLeftAlone() throws Exception {
    try (SocketServer _ = start()) {
      assertThatThrownBy(() -> start().close())
          .isInstanceOf(IOException.class)
          .hasMessageContaining("is served by another process");

      assertThat(version("4")).isEqualTo("4");
    }
  }

  @Test
  void aFileThatIsNoSocketIsLeftAlone() throws Exception {
    Files.writeString(socket(), "precious");

    assertThatThrownBy(() -> start().close())
        .isInstanceOf(IOException.class)
        .hasMessageContaining("exists and is no socket");

    assertThat(socket()).hasContent("precious");
  }

  @Test
  void aRequestBeyondTheLimitIsRefused() throws Exception {
    gate.open();
    try (SocketServer _ = start()) {
      Status status =
          call(
              stub ->
                  stub.version(
                      VersionRequest.newBuilder().setVersion("v".repeat(2 << 20)).build()));

      assertThat(status.getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    }
  }

  @Test
  void stoppingWaitsForCallsUnderWay() throws Exception {
    gate.open();
    CountDownLatch begun = new CountDownLatch(1);
    service.stop =
        () -> {
          begun.countDown();
          try {
            Thread.sleep(300);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          return StopContainerResponse.getDefaultInstance();
        };
    SocketServer server = start();
    AtomicReference<Status> status = new AtomicReference<>();
    Thread caller = Thread.startVirtualThread(() -> status.set(stop()));
    begun.await();

    server.stop(Duration.ofSeconds(30));

    caller.join();
    assertThat(status.get()).isEqualTo(Status.OK);
  }

  private SocketServer start() throws IOException {
    return start("root");
  }

  private SocketServer start(String group) throws IOException {
    return SocketServer.start(
        new SocketServer.Settings(socket(), group, 1 << 20),
        new CallInterceptor(gate),
        List.of(service));
  }

  private Path socket() {
    return folder.resolve("keelson.sock");
  }

  private Status.Code codeOf(RuntimeException thrown) {
    return statusOf(thrown).getCode();
  }

  private Status statusOf(RuntimeException thrown) {
    service.stop =
        () -> {
          throw thrown;
        };
    return stop();
  }

  private void stopQuietly() {
    stop();
  }

  private Status stop() {
    return call(
        stub ->
            stub.stopContainer(StopContainerRequest.newBuilder().setContainerId("c0ffee").build()));
  }

  private String version(String version) {
    ManagedChannel channel = channel();
    try {
      return RuntimeServiceGrpc.newBlockingStub(channel)
          .withDeadlineAfter(30, TimeUnit.SECONDS)
          .version(VersionRequest.newBuilder().setVersion(version).build())
          .getVersion();
    } finally {
      channel.shutdownNow();
    }
  }

  private interface Call {
    Object on(RuntimeServiceBlockingStub stub);
  }

  private Status call(Call call) {
    ManagedChannel channel = channel();
    try {
      StatusRuntimeException failure =
          catchThrowableOfType(
              StatusRuntimeException.class,
              () ->
                  call.on(
                      RuntimeServiceGrpc.newBlockingStub(channel)
                          .withDeadlineAfter(30, TimeUnit.SECONDS)));
      return failure == null ? Status.OK : failure.getStatus();
    } finally {
      channel.shutdownNow();
    }
  }

  private ManagedChannel channel() {
    return NettyChannelBuilder.forAddress(new DomainSocketAddress(socket().toFile()))
        .channelType(EpollDomainSocketChannel.class)
        .eventLoopGroup(events)
        .withOption(ChannelOption.SO_KEEPALIVE, null)
        .overrideAuthority("localhost")
        .usePlaintext()
        .build();
  }
}
