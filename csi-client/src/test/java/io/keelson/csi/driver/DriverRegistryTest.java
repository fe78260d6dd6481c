package io.keelson.csi.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.csi.local.LocalDriver;
import io.keelson.proto.csi.v1.ProbeRequest;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.UnavailableException;
import io.keelson.sandbox.rpc.UnixChannels;
import io.keelson.sandbox.rpc.UnixServer;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Several drivers that come and go, on sockets of their own. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DriverRegistryTest {

  private static final List<String> VERSIONS = List.of("1.0.0");

  private static final ProbeRequest PROBE = ProbeRequest.getDefaultInstance();

  /** For so long the one that hangs is waited for. */
  private static final Duration LOOK = Duration.ofSeconds(5);

  @TempDir Path folder;

  private final UnixChannels channels = new UnixChannels();
  private DriverRegistry registry;
  private ServerSocketChannel silent;

  @BeforeEach
  void start() throws IOException {
    silent = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    silent.bind(UnixDomainSocketAddress.of(folder.resolve("silent.sock")));
    registry =
        new DriverRegistry(
            channels,
            TlsFiles.NONE,
            List.of(unix("silent"), unix("late")),
            Optional.empty(),
            CallPolicy.DEFAULT,
            CallMetrics.NONE,
            Duration.ofMillis(100));
    registry.start();
  }

  @AfterEach
  void end() throws IOException {
    registry.close();
    channels.close();
    silent.close();
  }

  /** Its connections are taken, and nothing is ever answered. */
  @Test
  void oneThatHangsHoldsUpNoOther() throws IOException {
    try (UnixServer one = serve("one");
        UnixServer _ = serve("late")) {
      registry.register("one", one.socket(), VERSIONS);
      long began = System.nanoTime();
      assertThat(registry.get("one", operation()).health()).isEqualTo(DriverHealth.READY);
      assertThat(registry.get("late", operation()).origin()).isEqualTo(Driver.Origin.CONFIGURATION);
      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(LOOK);
    }
  }

  /** It is not there when the daemon starts, ends, and comes back: nobody does anything for it. */
  @Test
  void oneOfTheConfigurationIsSeenComingAndGoing() throws Exception {
    try (UnixServer _ = serve("late")) {
      await("late", DriverHealth.State.READY);
    }
    await("late", DriverHealth.State.UNREACHABLE);
    CountDownLatch back = new CountDownLatch(1);
    registry.onArrival(_ -> back.countDown());
    try (UnixServer _ = serve("late")) {
      assertThat(back.await(20, TimeUnit.SECONDS)).as("those who wait are told").isTrue();
    }
  }

  @Test
  void whatWasAskedOfOneThatIsRestartedIsAnsweredWhenItIsBack() throws Exception {
    Path socket;
    CompletableFuture<DriverInfo> asked;
    try (UnixServer one = serve("one")) {
      socket = one.socket();
      registry.register("one", socket, VERSIONS);
    }
    registry.deregister("one", socket);
    Driver held = registeredAgain(socket);
    registry.deregister("one", socket);
    held.renewed();
    asked = CompletableFuture.supplyAsync(() -> held.info(operation()));
    assertThat(registry.all()).extracting(Driver::name).doesNotContain("one");
    try (UnixServer one = serve("one")) {
      registry.register("one", one.socket(), VERSIONS);
      assertThat(asked.get(20, TimeUnit.SECONDS).name()).isEqualTo("one");
      assertThat(registry.get("one", operation())).isSameAs(held);
    }
  }

  private Driver registeredAgain(Path socket) throws IOException {
    try (UnixServer _ = serve("one")) {
      registry.register("one", socket, VERSIONS);
      return registry.get("one", operation());
    }
  }

  @Test
  void oneThatMovesIsFoundWhereItIsNow() throws IOException {
    try (UnixServer here = serve("one");
        UnixServer there = serve("one", "elsewhere")) {
      registry.register("one", here.socket(), VERSIONS);
      Driver before = registry.get("one", operation());
      registry.register("one", there.socket(), VERSIONS);
      assertThat(registry.get("one", operation()).endpoint()).isEqualTo(unix("elsewhere"));
      assertThatThrownBy(() -> before.identity("Probe", operation(), stub -> stub.probe(PROBE)))
          .as("its channel is closed")
          .isInstanceOf(KeelsonException.class);
      registry.deregister("one", here.socket());
      assertThat(registry.get("one", operation()).endpoint())
          .as("the old socket has gone, which is another one's")
          .isEqualTo(unix("elsewhere"));
    }
  }

  @Test
  void oneThatCallsItselfOtherwiseIsRefused() throws IOException {
    try (UnixServer one = serve("one")) {
      assertThatThrownBy(() -> registry.register("two", one.socket(), VERSIONS))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("calls itself one, not two");
      assertThatThrownBy(() -> registry.register("one", one.socket(), List.of("0.3.0")))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("0.3.0");
    }
    assertThatThrownBy(
            () ->
                registry.get("two", Operation.of(Duration.ofMillis(300), Operation.Listener.NONE)))
        .isInstanceOf(UnavailableException.class);
  }

  private void await(String name, DriverHealth.State state) throws InterruptedException {
    while (registry.all().stream()
        .noneMatch(each -> each.name().equals(name) && each.health().state() == state)) {
      Thread.sleep(10);
    }
  }

  private UnixServer serve(String name) throws IOException {
    return serve(name, name);
  }

  private UnixServer serve(String name, String file) throws IOException {
    return UnixServer.start(
        folder.resolve(file + ".sock"),
        new LocalDriver(name, folder.resolve("volumes-" + file), "node", "0").services());
  }

  private Endpoint unix(String name) {
    return new Endpoint.UnixSocket(folder.resolve(name + ".sock"));
  }

  private static Operation operation() {
    return Operation.of(Duration.ofSeconds(20), Operation.Listener.NONE);
  }
}
