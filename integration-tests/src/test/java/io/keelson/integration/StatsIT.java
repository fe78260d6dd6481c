package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.Container;
import io.keelson.proto.cri.v1.ContainerStats;
import io.keelson.proto.cri.v1.ContainerStatsFilter;
import io.keelson.proto.cri.v1.ContainerStatsRequest;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.proto.cri.v1.LinuxPodSandboxStats;
import io.keelson.proto.cri.v1.ListContainerStatsRequest;
import io.keelson.proto.cri.v1.ListPodSandboxStatsRequest;
import io.keelson.proto.cri.v1.PodSandbox;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxStats;
import io.keelson.proto.cri.v1.PodSandboxStatsFilter;
import io.keelson.proto.cri.v1.PodSandboxStatsRequest;
import io.keelson.proto.cri.v1.StreamContainerStatsRequest;
import io.keelson.proto.cri.v1.StreamContainersRequest;
import io.keelson.proto.cri.v1.StreamPodSandboxStatsRequest;
import io.keelson.proto.cri.v1.StreamPodSandboxesRequest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Figures of pods and containers, against what the workloads are known to have used. */
class StatsIT {

  private static final long MIB = 1024 * 1024;

  @RegisterExtension static final TestNode node = TestNode.create();

  private ContainerStats stats(String id) {
    return node.cri()
        .runtime()
        .containerStats(ContainerStatsRequest.newBuilder().setContainerId(id).build())
        .getStats();
  }

  private PodSandboxStats podStats(String id) {
    return node.cri()
        .runtime()
        .podSandboxStats(PodSandboxStatsRequest.newBuilder().setPodSandboxId(id).build())
        .getStats();
  }

  @Test
  void aContainersFiguresAreThoseOfItsWork() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("work").build();
    String sandbox = cri.runPod(pod);
    var config =
        node.container(
                "main",
                "sh",
                "-c",
                "dd if=/dev/zero of=/written bs=1M count=5; mkdir /many; for i in 1 2 3 4 5 6 7 8"
                    + " 9; do : > /many/$i; done; a=$(dd if=/dev/zero bs=1M count=24 | tr '\\0' x);"
                    + " touch /ready; while :; do :; done")
            .putLabels("tier", "front");
    config.setLinux(
        config.getLinux().toBuilder()
            .setResources(
                LinuxContainerResources.newBuilder()
                    .setMemoryLimitInBytes(256 * MIB)
                    .setCpuPeriod(100_000)
                    .setCpuQuota(50_000)));
    String id = cri.run(sandbox, config.build(), pod);
    Waits.until(() -> cri.exec(id, "ls", "/ready").getExitCode() == 0, "the work is done");

    ContainerStats first = stats(id);
    TimeUnit.MILLISECONDS.sleep(1300);
    ContainerStats second = stats(id);

    assertThat(first.getAttributes().getId()).isEqualTo(id);
    assertThat(first.getAttributes().getMetadata().getName()).isEqualTo("main");
    assertThat(first.getAttributes().getLabelsMap()).containsEntry("tier", "front");
    double seconds =
        (second.getCpu().getTimestamp() - first.getCpu().getTimestamp())
            / (double) TimeUnit.SECONDS.toNanos(1);
    assertThat(seconds).isGreaterThan(1);
    long used =
        second.getCpu().getUsageCoreNanoSeconds().getValue()
            - first.getCpu().getUsageCoreNanoSeconds().getValue();
    assertThat(used / seconds).as("half a processor is its limit").isBetween(1e7, 8e8);
    assertThat((double) second.getCpu().getUsageNanoCores().getValue())
        .isBetween(0.5 * used / seconds, 2.0 * used / seconds);

    long workingSet = second.getMemory().getWorkingSetBytes().getValue();
    assertThat(second.getMemory().getRssBytes().getValue()).isBetween(24 * MIB, 200 * MIB);
    assertThat(workingSet).isBetween(24 * MIB, second.getMemory().getUsageBytes().getValue());
    assertThat(second.getMemory().getAvailableBytes().getValue()).isEqualTo(256 * MIB - workingSet);
    assertThat(second.getMemory().getPageFaults().getValue()).isGreaterThan(1000);
    assertThat(second.hasSwap()).isTrue();
    assertThat(second.hasIo()).isTrue();

    assertThat(second.getWritableLayer().getUsedBytes().getValue()).isBetween(5 * MIB, 6 * MIB);
    assertThat(second.getWritableLayer().getInodesUsed().getValue()).isBetween(11L, 30L);
    assertThat(second.getWritableLayer().getFsId().getMountpoint()).startsWith("/");

    LinuxPodSandboxStats whole = podStats(sandbox).getLinux();
    assertThat(whole.getCpu().getUsageCoreNanoSeconds().getValue())
        .isGreaterThanOrEqualTo(first.getCpu().getUsageCoreNanoSeconds().getValue());
    assertThat(whole.getMemory().getUsageBytes().getValue()).isGreaterThan(24 * MIB);
    assertThat(whole.getProcess().getProcessCount().getValue()).isBetween(1L, 3L);
    assertThat(whole.getContainersList())
        .extracting(c -> c.getAttributes().getId())
        .containsExactly(id);
  }

  @Test
  void askedTwiceInASecondTheKernelIsReadOnce() {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("twice").build();
    String id = cri.run(cri.runPod(pod), node.sleeper("main").build(), pod);
    long first;
    long second;
    do {
      first = stats(id).getCpu().getTimestamp();
      second = stats(id).getCpu().getTimestamp();
      // On a busy machine a second may have passed between the two.
    } while (Instant.ofEpochSecond(0, first).plusSeconds(1).isBefore(Instant.now()));
    assertThat(second).isEqualTo(first);
    assertThat(first).isPositive();
  }

  @Test
  void thePodsTrafficIsWhatItsOwnInterfaceCounts() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("traffic").build();
    String sandbox = cri.runPod(pod);
    String id = cri.run(sandbox, node.sleeper("main").build(), pod);
    String gateway = node.ipv4Prefix() + ".0.1";
    cri.exec(id, "ping", "-c", "20", "-i", "0.02", "-s", "1000", gateway);
    TimeUnit.MILLISECONDS.sleep(1100);

    var network = podStats(sandbox).getLinux().getNetwork();
    assertThat(network.getTimestamp()).isPositive();
    assertThat(network.getDefaultInterface().getName()).isEqualTo("eth0");
    long counted = Long.parseLong(cri.output(id, "cat", "/sys/class/net/eth0/statistics/rx_bytes"));
    assertThat(network.getDefaultInterface().getRxBytes().getValue()).isBetween(20_000L, counted);
    assertThat(network.getDefaultInterface().getTxBytes().getValue()).isGreaterThan(20_000);
    assertThat(network.getInterfacesList()).isEmpty();
  }

  @Test
  void listsFilterAndStreamsGiveTheSame() {
    Cri cri = node.cri();
    List<String> pods = new ArrayList<>();
    List<String> containers = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      PodSandboxConfig pod = node.pod("list" + i).putLabels("number", "" + i).build();
      pods.add(cri.runPod(pod));
      containers.add(
          cri.run(pods.get(i), node.sleeper("main").putLabels("number", "" + i).build(), pod));
    }
    var ended = node.pod("ended").build();
    cri.awaitExit(cri.run(cri.runPod(ended), node.container("main", "true").build(), ended));

    assertThat(list(ContainerStatsFilter.getDefaultInstance()))
        .containsExactlyInAnyOrderElementsOf(containers);
    assertThat(list(ContainerStatsFilter.newBuilder().setId(containers.get(1)).build()))
        .containsExactly(containers.get(1));
    assertThat(list(ContainerStatsFilter.newBuilder().setPodSandboxId(pods.get(2)).build()))
        .containsExactly(containers.get(2));
    assertThat(list(ContainerStatsFilter.newBuilder().putLabelSelector("number", "0").build()))
        .containsExactly(containers.get(0));
    assertThat(
            cri.runtime()
                .listPodSandboxStats(
                    ListPodSandboxStatsRequest.newBuilder()
                        .setFilter(
                            PodSandboxStatsFilter.newBuilder().putLabelSelector("number", "1"))
                        .build())
                .getStatsList())
        .extracting(stats -> stats.getAttributes().getId())
        .containsExactly(pods.get(1));

    List<String> streamed = new ArrayList<>();
    cri.runtime()
        .streamContainerStats(StreamContainerStatsRequest.getDefaultInstance())
        .forEachRemaining(
            chunk ->
                chunk
                    .getContainerStatsList()
                    .forEach(s -> streamed.add(s.getAttributes().getId())));
    assertThat(streamed).containsExactlyInAnyOrderElementsOf(containers);

    List<String> streamedPods = new ArrayList<>();
    cri.runtime()
        .streamPodSandboxStats(StreamPodSandboxStatsRequest.getDefaultInstance())
        .forEachRemaining(
            chunk ->
                chunk
                    .getPodSandboxStatsList()
                    .forEach(s -> streamedPods.add(s.getAttributes().getId())));
    assertThat(streamedPods).hasSize(4).containsAll(pods);

    List<PodSandbox> sandboxes = new ArrayList<>();
    cri.runtime()
        .streamPodSandboxes(StreamPodSandboxesRequest.getDefaultInstance())
        .forEachRemaining(chunk -> sandboxes.addAll(chunk.getPodSandboxesList()));
    assertThat(sandboxes).isEqualTo(cri.pods());

    List<Container> listed = new ArrayList<>();
    cri.runtime()
        .streamContainers(StreamContainersRequest.getDefaultInstance())
        .forEachRemaining(chunk -> listed.addAll(chunk.getContainersList()));
    assertThat(listed).isEqualTo(cri.containers()).hasSize(4);
  }

  private List<String> list(ContainerStatsFilter filter) {
    return node
        .cri()
        .runtime()
        .listContainerStats(ListContainerStatsRequest.newBuilder().setFilter(filter).build())
        .getStatsList()
        .stream()
        .map(stats -> stats.getAttributes().getId())
        .toList();
  }

  @Test
  void ofWhatDoesNotRunThereIsOnlyWhatItHasWritten() {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("over").build();
    String id =
        cri.run(
            cri.runPod(pod),
            node.container("main", "dd", "if=/dev/zero", "of=/left", "bs=1M", "count=2").build(),
            pod);
    cri.awaitExit(id);
    ContainerStats over = stats(id);
    assertThat(over.hasCpu()).isFalse();
    assertThat(over.hasMemory()).isFalse();
    assertThat(over.getWritableLayer().getUsedBytes().getValue()).isGreaterThanOrEqualTo(2 * MIB);
    assertThatThrownBy(() -> stats("feedfacefeedface"))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND));
  }
}
