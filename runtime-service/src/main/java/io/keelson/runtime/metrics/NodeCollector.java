package io.keelson.runtime.metrics;

import io.keelson.linux.SpawnTally;
import io.keelson.proto.cri.v1.Container;
import io.keelson.proto.cri.v1.ContainerFilter;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.PodSandbox;
import io.keelson.proto.cri.v1.PodSandboxFilter;
import io.keelson.proto.cri.v1.PodSandboxState;
import io.keelson.sandbox.NodeRuntime;
import io.keelson.sandbox.event.EventHub;
import io.prometheus.client.Collector;
import io.prometheus.client.CounterMetricFamily;
import io.prometheus.client.GaugeMetricFamily;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;

/** What is known anyway, told when somebody asks: nothing here costs the calls anything. */
final class NodeCollector extends Collector {

  /** An operation that takes longer than this is worth a look. */
  static final long SLOW_NANOS = TimeUnit.SECONDS.toNanos(5);

  private final NodeRuntime runtime;
  private final Operations operations;
  private final Map<String, IntSupplier> queues;

  /**
   * @param queues how many wait, by what they wait for
   */
  NodeCollector(NodeRuntime runtime, Operations operations, Map<String, IntSupplier> queues) {
    this.runtime = runtime;
    this.operations = operations;
    this.queues = Map.copyOf(queues);
  }

  @Override
  public List<MetricFamilySamples> collect() {
    List<MetricFamilySamples> families = new ArrayList<>();
    families.add(pods());
    families.add(containers());
    families.add(spawns());
    families.add(underWay());
    families.add(queues());
    families.add(stuck());
    events(families);
    jvm(families);
    return families;
  }

  private GaugeMetricFamily pods() {
    GaugeMetricFamily pods =
        new GaugeMetricFamily("keelson_pods", "Pod sandboxes by state.", List.of("state"));
    Map<PodSandboxState, Integer> counts = new EnumMap<>(PodSandboxState.class);
    counts.put(PodSandboxState.SANDBOX_READY, 0);
    counts.put(PodSandboxState.SANDBOX_NOTREADY, 0);
    for (PodSandbox pod : runtime.pods().list(PodSandboxFilter.getDefaultInstance())) {
      counts.merge(pod.getState(), 1, Integer::sum);
    }
    counts.forEach((state, count) -> pods.addMetric(List.of(word(state)), count));
    return pods;
  }

  private GaugeMetricFamily containers() {
    GaugeMetricFamily containers =
        new GaugeMetricFamily("keelson_containers", "Containers by state.", List.of("state"));
    Map<ContainerState, Integer> counts = new EnumMap<>(ContainerState.class);
    counts.put(ContainerState.CONTAINER_CREATED, 0);
    counts.put(ContainerState.CONTAINER_RUNNING, 0);
    counts.put(ContainerState.CONTAINER_EXITED, 0);
    for (Container container : runtime.containers().list(ContainerFilter.getDefaultInstance())) {
      counts.merge(container.getState(), 1, Integer::sum);
    }
    counts.forEach((state, count) -> containers.addMetric(List.of(word(state)), count));
    return containers;
  }

  /** {@code CONTAINER_RUNNING} as {@code running}. */
  private static String word(Enum<?> state) {
    String name = state.name();
    return name.substring(name.indexOf('_') + 1).toLowerCase(Locale.ROOT);
  }

  private static CounterMetricFamily spawns() {
    CounterMetricFamily spawns =
        new CounterMetricFamily(
            "keelson_spawns", "Programs started by the daemon.", List.of("program"));
    SpawnTally.counts().forEach((program, count) -> spawns.addMetric(List.of(program), count));
    return spawns;
  }

  /** Pulls are those with the method PullImage. */
  private GaugeMetricFamily underWay() {
    GaugeMetricFamily underWay =
        new GaugeMetricFamily("keelson_operations", "Calls under way.", List.of("method"));
    Map<String, Integer> counts = new TreeMap<>();
    counts.put("PullImage", 0);
    operations.olderThan(0).forEach(one -> counts.merge(one.method(), 1, Integer::sum));
    counts.forEach((method, count) -> underWay.addMetric(List.of(method), count));
    return underWay;
  }

  private GaugeMetricFamily queues() {
    GaugeMetricFamily family =
        new GaugeMetricFamily("keelson_queue", "How many wait for it.", List.of("of"));
    queues.forEach((name, length) -> family.addMetric(List.of(name), length.getAsInt()));
    return family;
  }

  private GaugeMetricFamily stuck() {
    GaugeMetricFamily stuck =
        new GaugeMetricFamily(
            "keelson_operations_slow",
            "Calls that have been running for more than 5 seconds, by the stage reached last.",
            List.of("method", "stage"));
    Map<List<String>, Integer> counts =
        new TreeMap<>((a, b) -> a.toString().compareTo(b.toString()));
    for (Operation operation : operations.olderThan(SLOW_NANOS)) {
      counts.merge(List.of(operation.method(), operation.last().name()), 1, Integer::sum);
    }
    counts.forEach(stuck::addMetric);
    return stuck;
  }

  private void events(List<MetricFamilySamples> families) {
    EventHub hub = runtime.events();
    families.add(
        new GaugeMetricFamily(
            "keelson_event_readers", "Open streams of container events.", hub.readers()));
    families.add(
        new GaugeMetricFamily(
            "keelson_event_backlog", "Events that wait for the slowest reader.", hub.backlog()));
    families.add(
        new CounterMetricFamily("keelson_events", "Container events made.", hub.published()));
    families.add(
        new CounterMetricFamily(
            "keelson_event_readers_dropped",
            "Streams of events ended because their reader was too slow.",
            hub.overflows()));
  }

  private static void jvm(List<MetricFamilySamples> families) {
    Runtime jvm = Runtime.getRuntime();
    families.add(
        new GaugeMetricFamily(
            "keelson_heap_used_bytes", "Heap in use.", jvm.totalMemory() - jvm.freeMemory()));
    families.add(
        new GaugeMetricFamily("keelson_heap_max_bytes", "The most heap.", jvm.maxMemory()));
    families.add(
        new GaugeMetricFamily(
            "keelson_cpu_seconds",
            "Processor time of the daemon.",
            ProcessHandle.current()
                .info()
                .totalCpuDuration()
                .map(time -> time.toNanos() / 1e9)
                .orElse(0.0)));
  }
}
