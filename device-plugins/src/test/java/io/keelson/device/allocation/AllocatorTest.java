package io.keelson.device.allocation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.device.plugin.Device;
import io.keelson.device.plugin.PluginRegistry;
import io.keelson.proto.record.v1.DeviceAllocation;
import io.keelson.sandbox.FaultPoints;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.error.ResourceExhaustedException;
import io.keelson.sandbox.error.UnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AllocatorTest {

  private static final String WIDGET = "vendor.example/widget";
  private static final String NEAR = "vendor.example/near";

  @TempDir Path folder;

  private final PluginRegistry registry = new PluginRegistry(Duration.ofMillis(200));
  private Allocations allocations;
  private Allocator allocator;

  @BeforeEach
  void open() throws IOException {
    allocations = Allocations.open(folder);
    allocator = new Allocator(registry, allocations, new Silent(), FaultPoints.NONE);
  }

  @Test
  void theSameContainerGetsTheSameDevicesAndTheLastAttemptFreesThem() throws Exception {
    registry.add(WIDGET, widgets(4));
    List<String> first = allocate("main", "c1", WIDGET + "=2");
    List<String> again = allocate("main", "c2", WIDGET + "=2");

    assertThat(again).isEqualTo(first);
    allocator.releaseContainer("c1");
    assertThat(allocations.ofResource(WIDGET)).hasSize(1);
    allocator.releaseContainer("c2");
    assertThat(allocations.all()).isEmpty();
    assertThat(files()).isEmpty();
  }

  /** What was held before the daemon was killed is held after it. */
  @Test
  void checkpointsAreReadAgain() throws Exception {
    registry.add(WIDGET, widgets(2));
    List<String> held = allocate("main", "c1", WIDGET + "=1");

    Allocations reopened = Allocations.open(folder);

    assertThat(reopened.ofContainer("c1"))
        .singleElement()
        .satisfies(one -> assertThat(one.getDeviceIdsList()).isEqualTo(held))
        .satisfies(one -> assertThat(one.getResponse().getEnvsMap()).containsKey("IDS"));
  }

  /**
   * Who has one, asks for two and is refused still has one: asking again is not asking for more.
   */
  @Test
  void aRefusalOfMoreLeavesWhatWasHeldBefore() throws Exception {
    FakePlugin plugin = widgets(3);
    registry.add(WIDGET, plugin);
    allocate("main", "c1", WIDGET + "=1");
    List<DeviceAllocation> before = allocations.all();
    plugin.refusal = "the device is on fire";

    assertThatThrownBy(() -> allocate("main", "c1", WIDGET + "=2"))
        .isInstanceOf(OperationFailedException.class);

    assertThat(allocations.all()).isEqualTo(before);
    assertThat(Allocations.open(folder).all()).isEqualTo(before);
  }

  /** A device changed on the host while the container that held it was removed. */
  @Test
  void whatWasGivenBackIsNotHeldAgainByALateAnswer() throws Exception {
    registry.add(WIDGET, widgets(1));
    allocate("main", "c1", WIDGET);
    DeviceAllocation held = allocations.all().getFirst();
    allocator.releaseContainer("c1");

    allocator.answerAnew(held);

    assertThat(allocations.join(held, "c2")).isEmpty();
    assertThat(allocations.all()).isEmpty();
    assertThat(files()).isEmpty();
  }

  /** A write was cut off by a kill; another record went bad on the disk. */
  @Test
  void brokenRecordsDoNotKeepTheOthersFromBeingRead() throws Exception {
    registry.add(WIDGET, widgets(1));
    allocate("main", "c1", WIDGET);
    Files.write(
        Files.createDirectory(folder.resolve("cut-off")).resolve(".record.1.tmp"),
        new byte[] {10, 9});
    Files.write(
        Files.createDirectory(folder.resolve("bad")).resolve("record"), new byte[] {1, 2, 3, 4, 5});

    assertThat(Allocations.open(folder).all()).isEqualTo(allocations.all());
    assertThat(files()).as("what is left").hasSize(1);
  }

  @Test
  void notEnoughSaysWhatWasAskedWhatIsFreeAndWhoHoldsTheRest() throws Exception {
    FakePlugin plugin = widgets(4);
    registry.add(WIDGET, plugin);
    allocate("main", "c1", WIDGET + "=2");
    plugin.tell(List.of(device("w0"), device("w1"), device("w2"), Device.of("w3", false)));

    assertThatThrownBy(() -> allocate("side", "c2", WIDGET + "=2"))
        .isInstanceOf(ResourceExhaustedException.class)
        .hasMessage(
            "container side of pod ns/pod asks for vendor.example/widget=2: 1 of 4 are free,"
                + " 1 unhealthy; held: w0 by ns/pod/main, w1 by ns/pod/main");
    assertThat(allocations.ofContainer("c2")).isEmpty();
  }

  @Test
  void aRefusalFreesAllThatTheSameRequestGot() throws Exception {
    registry.add(WIDGET, widgets(2));
    FakePlugin refusing = new FakePlugin(List.of(device("n0")));
    refusing.refusal = "the device is on fire";
    registry.add(NEAR, refusing);

    assertThatThrownBy(() -> allocate("main", "c1", WIDGET + "=1," + NEAR + "=1"))
        .isInstanceOf(OperationFailedException.class)
        .hasMessageContaining("the device is on fire");
    assertThat(allocations.all()).isEmpty();
    assertThat(files()).isEmpty();
  }

  @Test
  void onlyHealthyDevicesAreGivenButAnIllOneIsKept() throws Exception {
    FakePlugin plugin = new FakePlugin(List.of(Device.of("w0", false), device("w1")));
    registry.add(WIDGET, plugin);
    assertThat(allocate("main", "c1", WIDGET)).containsExactly("w1");
    plugin.tell(List.of(device("w0"), Device.of("w1", false)));
    assertThat(allocate("main", "c2", WIDGET)).as("the next attempt").containsExactly("w1");
  }

  @Test
  void devicesAreChosenBySelectorAndByNumaNode() throws Exception {
    registry.add(
        WIDGET,
        new FakePlugin(List.of(near("a0", 0), near("a1", 1), near("b1", 1), device("anywhere"))));
    registry.add(NEAR, new FakePlugin(List.of(near("n1", 1), near("n0", 0))));

    assertThat(allocate("one", "c1", WIDGET + "=id:b1")).containsExactly("b1");
    // Only node 1 has two of them and one of the others.
    allocator.releaseContainer("c1");
    assertThat(allocate("two", "c2", WIDGET + "=2," + NEAR + "=1"))
        .containsExactly("a1", "b1", "n1");
    assertThatThrownBy(() -> allocate("three", "c3", WIDGET + "=id:b1"))
        .isInstanceOf(ResourceExhaustedException.class)
        .hasMessageContaining("id:b1 is not free");
    assertThatThrownBy(() -> allocate("three", "c3", WIDGET + "=serial:12"))
        .hasMessageContaining("none is serial:12");
  }

  @Test
  void theNodesOfTheMemoryArePreferred() throws Exception {
    registry.add(WIDGET, new FakePlugin(List.of(near("a0", 0), near("a1", 1))));
    List<DeviceAllocation> given =
        allocator.allocate(claimant("main", "c1"), DeviceRequest.parse(WIDGET), Set.of(1L));
    assertThat(given.getFirst().getDeviceIdsList()).containsExactly("a1");
    assertThat(given.getFirst().getNumaNodesList()).containsExactly(1L);
  }

  /** O17: "not registered yet" is not "gone". */
  @Test
  void aPluginThatIsNotBackYetIsWaitedFor() throws Exception {
    PluginRegistry patient = new PluginRegistry(Duration.ofSeconds(30));
    Thread late =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    Thread.sleep(100);
                    patient.add(WIDGET, widgets(1));
                  } catch (InterruptedException | IOException e) {
                    throw new IllegalStateException(e);
                  }
                });
    Allocator waiting = new Allocator(patient, allocations, new Silent(), FaultPoints.NONE);
    assertThat(allocate(waiting, "early", "c0", WIDGET)).containsExactly("w0");
    late.join();
    waiting.releaseContainer("c0");
    FakePlugin gone = widgets(1);
    registry.add(WIDGET, gone);
    gone.end();
    assertThatThrownBy(() -> allocate("main", "c1", WIDGET))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("is gone since");
    assertThatThrownBy(() -> allocate("main", "c1", "vendor.example/never"))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("no device plugin on this node offers vendor.example/never");
  }

  /** Two requests at once never get the same device, and none is lost. */
  @Test
  void twoHundredRequestsAgainstSixteenDevices() throws Exception {
    registry.add(WIDGET, widgets(16));
    Map<String, String> holders = new ConcurrentHashMap<>();
    AtomicInteger got = new AtomicInteger();
    AtomicInteger refused = new AtomicInteger();
    List<Future<?>> all = new ArrayList<>();
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 200; i++) {
        String container = "c" + i;
        int count = 1 + i % 3;
        all.add(
            executor.submit(
                () -> {
                  hammer(container, count, holders, got, refused);
                  return null;
                }));
      }
    }
    for (Future<?> one : all) {
      one.get(1, TimeUnit.MINUTES);
    }
    assertThat(got.get()).as("successes").isEqualTo(200);
    assertThat(allocations.all()).isEmpty();
    assertThat(files()).isEmpty();
    assertThat(allocate("last", "c", WIDGET + "=16")).hasSize(16);
  }

  /** Vendors' plugins repeat their lists: who watches the devices is not woken for nothing. */
  @Test
  void aListThatSaysNothingNewIsNoChange() throws Exception {
    AtomicInteger changes = new AtomicInteger();
    registry.addListener((_, _) -> changes.incrementAndGet());
    FakePlugin plugin = widgets(1);
    registry.add(WIDGET, plugin);
    int before = changes.get();
    plugin.tell(List.of(device("w0")));
    assertThat(changes).hasValue(before);
    plugin.tell(List.of(Device.of("w0", false)));
    assertThat(changes).hasValue(before + 1);
  }

  private void hammer(
      String container,
      int count,
      Map<String, String> holders,
      AtomicInteger got,
      AtomicInteger refused)
      throws Exception {
    while (true) {
      try {
        List<String> ids = allocate(container, container, WIDGET + "=" + count);
        assertThat(ids).hasSize(count).doesNotHaveDuplicates();
        for (String id : ids) {
          assertThat(holders.put(id, container)).as("holder of " + id).isNull();
        }
        Thread.sleep(1);
        ids.forEach(holders::remove);
        allocator.releaseContainer(container);
        got.incrementAndGet();
        return;
      } catch (ResourceExhaustedException e) {
        refused.incrementAndGet();
        Thread.sleep(5);
      }
    }
  }

  private List<String> allocate(String container, String id, String text) throws IOException {
    return allocate(allocator, container, id, text);
  }

  private static List<String> allocate(Allocator by, String container, String id, String text)
      throws IOException {
    return by.allocate(claimant(container, id), DeviceRequest.parse(text), Set.of()).stream()
        .flatMap(allocation -> allocation.getDeviceIdsList().stream())
        .toList();
  }

  private static Claimant claimant(String container, String id) {
    return new Claimant("uid", "ns", "pod", "sandbox", container, id);
  }

  private static FakePlugin widgets(int count) {
    return new FakePlugin(IntStream.range(0, count).mapToObj(i -> device("w" + i)).toList());
  }

  private static Device device(String id) {
    return Device.of(id, true);
  }

  private static Device near(String id, long node) {
    return new Device(id, true, List.of(node), Map.of());
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }

  private static final class Silent implements AllocationObserver {
    @Override
    public void allocated(DeviceAllocation allocation) {}

    @Override
    public void released(DeviceAllocation allocation) {}

    @Override
    public void failed(Exception why) {}
  }
}
