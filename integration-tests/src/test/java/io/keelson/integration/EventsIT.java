package io.keelson.integration;

import static io.keelson.proto.cri.v1.ContainerEventType.CONTAINER_CREATED_EVENT;
import static io.keelson.proto.cri.v1.ContainerEventType.CONTAINER_DELETED_EVENT;
import static io.keelson.proto.cri.v1.ContainerEventType.CONTAINER_STARTED_EVENT;
import static io.keelson.proto.cri.v1.ContainerEventType.CONTAINER_STOPPED_EVENT;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.Patience;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.ContainerEventResponse;
import io.keelson.proto.cri.v1.ContainerEventType;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.ContainerStatus;
import io.keelson.proto.cri.v1.GetEventsRequest;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxState;
import io.keelson.proto.cri.v1.PodSandboxStatusRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Container events, as a kubelet's evented PLEG reads them. */
class EventsIT {

  @RegisterExtension static final TestNode node = TestNode.create();

  @Test
  void aPodsLifeIsToldInOrderWithTheStatesOfEachMoment() throws Exception {
    Cri cri = node.cri();
    try (Reader reader = new Reader()) {
      PodSandboxConfig config = node.pod("events").build();
      String pod = reader.awaitFirst(() -> cri.runPod(config));
      String one = cri.run(pod, node.sleeper("one").build(), config);
      String two = cri.run(pod, node.container("two", "sh", "-c", "exit 3").build(), config);
      cri.awaitExit(two);
      cri.remove(two);
      cri.stopPod(pod);
      cri.removePod(pod);

      ContainerEventResponse created = reader.next(pod, CONTAINER_CREATED_EVENT);
      assertThat(created.getPodSandboxStatus().getState()).isEqualTo(PodSandboxState.SANDBOX_READY);
      assertThat(created.getPodSandboxStatus().getMetadata()).isEqualTo(config.getMetadata());
      assertThat(created.getPodSandboxStatus().getNetwork().getIp()).isNotEmpty();
      reader.next(pod, CONTAINER_STARTED_EVENT);

      assertThat(state(reader.next(one, CONTAINER_CREATED_EVENT), one))
          .isEqualTo(ContainerState.CONTAINER_CREATED);
      assertThat(state(reader.next(one, CONTAINER_STARTED_EVENT), one))
          .isEqualTo(ContainerState.CONTAINER_RUNNING);

      assertThat(reader.next(two, CONTAINER_CREATED_EVENT).getContainersStatusesList())
          .extracting(ContainerStatus::getId)
          .containsExactlyInAnyOrder(one, two);
      reader.next(two, CONTAINER_STARTED_EVENT);
      ContainerEventResponse ended = reader.next(two, CONTAINER_STOPPED_EVENT);
      assertThat(status(ended, two).getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
      assertThat(status(ended, two).getExitCode()).isEqualTo(3);
      assertThat(status(ended, two).getFinishedAt()).isPositive();
      assertThat(reader.next(two, CONTAINER_DELETED_EVENT).getContainersStatusesList())
          .extracting(ContainerStatus::getId)
          .containsExactly(one);

      reader.next(one, CONTAINER_STOPPED_EVENT);
      ContainerEventResponse stopped = reader.next(pod, CONTAINER_STOPPED_EVENT);
      assertThat(stopped.getPodSandboxStatus().getState())
          .isEqualTo(PodSandboxState.SANDBOX_NOTREADY);
      reader.next(one, CONTAINER_DELETED_EVENT);
      ContainerEventResponse deleted = reader.next(pod, CONTAINER_DELETED_EVENT);
      assertThat(deleted.getPodSandboxStatus().getMetadata().getUid())
          .as("a kubelet finds the pod by it")
          .isEqualTo(config.getMetadata().getUid());
      assertThat(deleted.getContainersStatusesList()).isEmpty();
      assertThat(Instant.ofEpochSecond(0, deleted.getCreatedAt()))
          .isBetween(Instant.now().minusSeconds(60), Instant.now());
    }
  }

  @Test
  void theLatestAttemptOfAContainerComesFirst() throws Exception {
    Cri cri = node.cri();
    try (Reader reader = new Reader()) {
      PodSandboxConfig config = node.pod("attempts").build();
      String pod = reader.awaitFirst(() -> cri.runPod(config));
      reader.next(pod, CONTAINER_CREATED_EVENT);
      reader.next(pod, CONTAINER_STARTED_EVENT);
      List<String> newestFirst = new ArrayList<>();
      for (int attempt = 0; attempt < 5; attempt++) {
        ContainerConfig.Builder container = node.container("again", "true");
        container.getMetadataBuilder().setAttempt(attempt);
        String id = cri.run(pod, container.build(), config);
        newestFirst.addFirst(id);
        reader.next(id, CONTAINER_CREATED_EVENT);
        reader.next(id, CONTAINER_STARTED_EVENT);
        assertThat(reader.next(id, CONTAINER_STOPPED_EVENT).getContainersStatusesList())
            .extracting(ContainerStatus::getId)
            .isEqualTo(newestFirst);
      }

      assertThat(
              cri.runtime()
                  .podSandboxStatus(
                      PodSandboxStatusRequest.newBuilder().setPodSandboxId(pod).build())
                  .getContainersStatusesList())
          .as("a kubelet takes the first of a name, and leaves the order as it is")
          .extracting(ContainerStatus::getId)
          .isEqualTo(newestFirst);
    }
  }

  @Test
  void theDaemonEndsInTimeAndTellsItsReaders() throws Exception {
    try (Reader reader = new Reader()) {
      reader.awaitFirst(() -> node.cri().runPod(node.pod("ends").build()));
      long begin = System.nanoTime();
      node.daemon().terminate();
      assertThat(Duration.ofNanos(System.nanoTime() - begin))
          .as("an open stream must not hold up the end")
          .isLessThan(Patience.ofSeconds(30));
      assertThat(reader.end()).isEqualTo(Status.Code.UNAVAILABLE);
    }
  }

  private static ContainerState state(ContainerEventResponse event, String container) {
    return status(event, container).getState();
  }

  private static ContainerStatus status(ContainerEventResponse event, String container) {
    return event.getContainersStatusesList().stream()
        .filter(status -> status.getId().equals(container))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no status of " + container + " in " + event));
  }

  /** Reads events on a thread of its own. */
  private static final class Reader implements AutoCloseable {

    private final BlockingQueue<ContainerEventResponse> events = new LinkedBlockingQueue<>();
    private final AtomicReference<Status.@Nullable Code> end = new AtomicReference<>();
    private final Context.CancellableContext context = Context.current().withCancellation();
    private final Thread thread = Thread.ofVirtual().start(context.wrap(this::read));
    private long last;

    private void read() {
      try {
        node.cri()
            .runtime()
            .getContainerEvents(GetEventsRequest.getDefaultInstance())
            .forEachRemaining(events::add);
      } catch (StatusRuntimeException e) {
        end.set(e.getStatus().getCode());
      }
    }

    /** Does work again until the stream is open and has told of it; answers what the work gave. */
    String awaitFirst(Supplier<String> work) throws InterruptedException {
      while (true) {
        String pod = work.get();
        ContainerEventResponse first = events.poll(300, TimeUnit.MILLISECONDS);
        if (first != null && first.getContainerId().equals(pod)) {
          events.clear();
          node.cri().stopPod(pod);
          node.cri().removePod(pod);
          while (next(pod).getContainerEventType() != CONTAINER_DELETED_EVENT) {
            // until the rehearsal is over
          }
          return work.get();
        }
        node.cri().stopPod(pod);
        node.cri().removePod(pod);
        events.clear();
      }
    }

    ContainerEventResponse next(String id, ContainerEventType type) throws InterruptedException {
      ContainerEventResponse event = next(id);
      assertThat(event.getContainerEventType()).isEqualTo(type);
      return event;
    }

    private ContainerEventResponse next(String id) throws InterruptedException {
      ContainerEventResponse event = events.poll(30, TimeUnit.SECONDS);
      assertThat(event).as("an event of " + id).isNotNull();
      assertThat(event.getContainerId()).as(event.toString()).isEqualTo(id);
      assertThat(event.getCreatedAt()).isGreaterThan(last);
      last = event.getCreatedAt();
      return event;
    }

    Status.@Nullable Code end() throws InterruptedException {
      thread.join(Patience.ofSeconds(30));
      return end.get();
    }

    @Override
    public void close() {
      context.cancel(null);
    }
  }
}
