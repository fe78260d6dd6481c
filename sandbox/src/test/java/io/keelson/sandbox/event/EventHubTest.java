package io.keelson.sandbox.event;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.proto.cri.v1.ContainerEventResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class EventHubTest {

  private final EventHub hub = new EventHub();

  private static ContainerEventResponse event(String id, long time) {
    return ContainerEventResponse.newBuilder().setContainerId(id).setCreatedAt(time).build();
  }

  private void publish(String id) {
    hub.publish(time -> event(id, time));
  }

  @Test
  void allReadersHearAllEventsInOneOrderWithRisingTimes() throws InterruptedException {
    try (EventQueue one = hub.open(1000);
        EventQueue two = hub.open(1000)) {
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int i = 0; i < 400; i++) {
          String id = "c" + i;
          threads.execute(() -> publish(id));
        }
      }
      List<ContainerEventResponse> first = drain(one, 400);
      assertThat(drain(two, 400)).isEqualTo(first);
      for (int i = 1; i < first.size(); i++) {
        assertThat(first.get(i).getCreatedAt()).isGreaterThan(first.get(i - 1).getCreatedAt());
      }
    }
  }

  @Test
  void withoutAReaderNoEventIsMade() {
    hub.publish(
        _ -> {
          throw new AssertionError("made for nobody");
        });
    assertThat(hub.published()).isZero();
  }

  @Test
  void aSlowReaderGetsWhatFitsAndThenTheEndAndHoldsUpNobody() throws InterruptedException {
    try (EventQueue slow = hub.open(3);
        EventQueue quick = hub.open(1000)) {
      for (int i = 0; i < 10; i++) {
        publish("c" + i);
      }
      assertThat(drain(slow, 3))
          .extracting(e -> e.getContainerId())
          .containsExactly("c0", "c1", "c2");
      assertThat(slow.take()).isEmpty();
      assertThat(slow.overflowed()).isTrue();
      assertThat(drain(quick, 10)).hasSize(10);
      assertThat(hub.overflows()).isEqualTo(1);
      assertThat(hub.readers()).isEqualTo(1);
    }
    assertThat(hub.readers()).isZero();
  }

  @Test
  void aReaderThatWaitsIsToldOfTheEnd() throws InterruptedException {
    EventQueue queue = hub.open(3);
    Thread.ofVirtual().start(hub::close);
    assertThat(queue.take()).isEmpty();
    assertThat(queue.overflowed()).isFalse();
    assertThat(hub.open(3).take()).isEmpty();
  }

  private static List<ContainerEventResponse> drain(EventQueue queue, int count)
      throws InterruptedException {
    List<ContainerEventResponse> events = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Optional<ContainerEventResponse> event = queue.take();
      assertThat(event).isPresent();
      events.add(event.get());
    }
    return events;
  }
}
