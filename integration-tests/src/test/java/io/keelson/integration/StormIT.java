package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.ContainerStatus;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Callers run pods while the daemon is killed every one to three seconds. A caller retries only
 * what got no answer; every other error, and every wrong exit code, is a failure. The length is the
 * system property {@code keelson.storm.seconds}.
 */
class StormIT {

  private static final Duration LENGTH =
      Duration.ofSeconds(Long.getLong("keelson.storm.seconds", 90));
  private static final int CALLERS = 4;

  /** On a slow machine a daemon may be killed many times before it has answered anybody. */
  private static final Duration PATIENCE = LENGTH.plusSeconds(60);

  @RegisterExtension static final TestNode node = TestNode.create();

  private final List<String> failures = new CopyOnWriteArrayList<>();
  private final AtomicInteger pods = new AtomicInteger();
  private final AtomicInteger retries = new AtomicInteger();

  @Test
  void nothingIsLostRefusedOrLeaked() throws Exception {
    Instant end = Instant.now().plus(LENGTH);
    int kills = 0;
    try (ExecutorService executor = Executors.newFixedThreadPool(CALLERS)) {
      for (int caller = 0; caller < CALLERS; caller++) {
        Random random = new Random(caller);
        executor.execute(
            () -> {
              while (Instant.now().isBefore(end)) {
                runOnePod(random);
              }
            });
      }
      Random random = new Random(4711);
      while (Instant.now().isBefore(end)) {
        Waits.sleep(Duration.ofMillis(1000 + random.nextInt(2000)));
        node.daemon().kill();
        node.daemon().start(Map.of());
        kills++;
      }
      node.daemon().awaitServing();
      executor.shutdown();
      assertThat(executor.awaitTermination(2, TimeUnit.MINUTES)).as("callers end").isTrue();
    }
    System.out.printf(
        "storm: %d pods, %d kills of the daemon, %d calls asked again, %d failures%n",
        pods.get(), kills, retries.get(), failures.size());
    assertThat(failures).isEmpty();
    assertThat(node.cri().pods()).isEmpty();
    assertThat(node.cri().containers()).isEmpty();
    assertThat(pods.get()).as("pods that lived and ended").isPositive();
    assertThat(kills).isPositive();
  }

  private void runOnePod(Random random) {
    int code = 1 + random.nextInt(100);
    boolean stopped = random.nextInt(4) == 0;
    String script =
        stopped
            ? "trap 'exit " + code + "' TERM; echo x; while :; do sleep 0.05; done"
            : "sleep 0." + random.nextInt(9) + "; exit " + code;
    PodSandboxConfig.Builder builder = node.pod("storm");
    PodSandboxConfig pod = builder.build();
    ContainerConfig config = node.container("main", "sh", "-c", script).build();
    try (Cri cri = Cri.connect(node.socket())) {
      String podId = insist("run pod", cri, () -> cri.runPod(pod));
      String id = insist("create", cri, () -> cri.create(podId, config, pod));
      insist("start", cri, () -> done(() -> cri.start(id)));
      if (stopped) {
        // The signal means what the script says only once the trap is set.
        Waits.until(() -> !node.log(builder, "main").lines().isEmpty(), "first line");
        insist("stop", cri, () -> done(() -> cri.stop(id, 20)));
      }
      ContainerStatus status = awaitExit(cri, id);
      if (status.getExitCode() != code) {
        failures.add(
            "exit code %d of %s (%s) is told as %d %s"
                .formatted(code, id, stopped, status.getExitCode(), status.getReason()));
      }
      if (random.nextBoolean()) {
        insist("remove", cri, () -> done(() -> cri.remove(id)));
      }
      if (random.nextBoolean()) {
        insist("stop pod", cri, () -> done(() -> cri.stopPod(podId)));
      }
      insist("remove pod", cri, () -> done(() -> cri.removePod(podId)));
      pods.incrementAndGet();
    } catch (StatusRuntimeException | AssertionError e) {
      failures.add(String.valueOf(e.getMessage()));
    }
  }

  private ContainerStatus awaitExit(Cri cri, String id) {
    Instant patience = Instant.now().plus(PATIENCE);
    while (Instant.now().isBefore(patience)) {
      ContainerStatus status = insist("status", cri, () -> cri.status(id));
      if (status.getState() == ContainerState.CONTAINER_EXITED) {
        return status;
      }
      Waits.sleep(Duration.ofMillis(20));
    }
    throw new AssertionError("container " + id + " never ends");
  }

  /** Makes a call again as long as nobody answers it. */
  private <T> T insist(String what, Cri cri, Supplier<T> call) {
    Instant patience = Instant.now().plus(PATIENCE);
    while (true) {
      try {
        return call.get();
      } catch (StatusRuntimeException e) {
        if (isAnswer(e.getStatus()) || Instant.now().isAfter(patience)) {
          throw new AssertionError(what + ": " + e.getStatus(), e);
        }
        retries.incrementAndGet();
        Waits.sleep(Duration.ofMillis(50));
        cri.reconnect();
      }
    }
  }

  /** A connection that breaks while a request is being written is told by the client as UNKNOWN. */
  private static boolean isAnswer(Status status) {
    return status.getCode() != Status.Code.UNAVAILABLE
        && !(status.getCause() instanceof ClosedChannelException);
  }

  private static boolean done(Runnable call) {
    call.run();
    return true;
  }
}
