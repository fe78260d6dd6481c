package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.keelson.integration.harness.MetricsEndpoint;
import io.keelson.integration.harness.MisbehavingDriver;
import io.keelson.integration.harness.MisbehavingDriver.Misdeed;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestNode;
import io.keelson.integration.harness.VolumeCalls;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.csi.v1.ControllerPublishVolumeRequest;
import io.keelson.proto.csi.v1.CreateVolumeRequest;
import io.keelson.proto.csi.v1.NodePublishVolumeRequest;
import io.keelson.proto.csi.v1.NodeStageVolumeRequest;
import io.keelson.proto.csi.v1.ValidateVolumeCapabilitiesRequest;
import io.keelson.proto.csi.v1.Volume;
import io.keelson.proto.csi.v1.VolumeCapability;
import io.keelson.proto.csi.v1.VolumeCapability.AccessMode.Mode;
import io.keelson.proto.node.v1.CsiVolume;
import io.keelson.proto.node.v1.DeleteSnapshotRequest;
import io.keelson.proto.node.v1.DeleteVolumeRequest;
import io.keelson.proto.node.v1.DescribeStorageRequest;
import io.keelson.proto.node.v1.DescribeStorageResponse;
import io.keelson.proto.node.v1.DescribeVolumeRequest;
import io.keelson.proto.node.v1.DescribeVolumeResponse;
import io.keelson.proto.node.v1.DriverStatus;
import io.keelson.proto.node.v1.ExpandVolumeRequest;
import io.keelson.proto.node.v1.ListDriversRequest;
import io.keelson.proto.node.v1.Publication;
import io.keelson.proto.node.v1.SnapshotVolumeRequest;
import io.keelson.proto.node.v1.UnpublishVolumeRequest;
import io.keelson.proto.node.v1.VolumeProgress;
import io.keelson.proto.node.v1.VolumeProgress.ResultCase;
import io.keelson.proto.node.v1.VolumeServiceGrpc.VolumeServiceBlockingStub;
import io.keelson.proto.node.v1.VolumeStatsRequest;
import io.keelson.proto.node.v1.VolumeStatsResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a CSI driver is told, and what is told of it. */
class CsiCallsIT {

  private static final String PASSWORD = "very-hidden-word";

  @RegisterExtension static final TestNode node = TestNode.create();

  @Order(Integer.MAX_VALUE) // when the node is there
  @RegisterExtension
  static final MisbehavingDriver driver = MisbehavingDriver.of(node);

  private static final MetricsEndpoint METRICS = MetricsEndpoint.of(node);

  private final VolumeCalls volumes = new VolumeCalls(node);

  static {
    node.set("volumes.probe_interval", "\"1s\"");
  }

  @AfterEach
  void deleteVolumes() {
    driver.behave();
    node.removeAllPods();
    volumes.list().forEach(each -> volumes.delete(each.getName()));
  }

  @Test
  void allThatWasAskedForReachesTheDriverAndSecretsNobodyElse() throws IOException {
    Path secret = Files.createDirectories(node.secrets().resolve("vault"));
    Files.writeString(secret.resolve("password"), PASSWORD);
    volumes.create(
        VolumeCalls.request("v", MisbehavingDriver.NAME, 4)
            .setVolume(
                CsiVolume.newBuilder()
                    .setDriver(MisbehavingDriver.NAME)
                    .setFsType("ext4")
                    .addMountFlags("noatime")
                    .setAccessMode(Mode.SINGLE_NODE_SINGLE_WRITER)
                    .setPodInfo(true)
                    .setSecret("vault"))
            .putParameters("layout", "image")
            .build());
    driver.next("ControllerExpandVolume", Misdeed.ABORTS);
    volumes.expand("v", 8 * VolumeCalls.MIB);
    PodSandboxConfig pod = pod("first");
    String id =
        node.cri()
            .run(
                node.cri().runPod(pod),
                node.sleeper("main").putAnnotations("mounts.keelson.io/d", "/d").build(),
                pod);
    assertThat(node.cri().output(id, "cat", "/proc/self/mountinfo").lines())
        .as("what the container sees")
        .filteredOn(line -> line.contains(" /d "))
        .singleElement()
        .satisfies(line -> assertThat(line).contains(",noatime").contains(" - ext4 "));

    CreateVolumeRequest created = driver.last(CreateVolumeRequest.class);
    assertThat(created.getParametersMap()).containsEntry("layout", "image");
    assertThat(created.getAccessibilityRequirements().getRequisiteList())
        .as("where the node is")
        .singleElement()
        .satisfies(here -> assertThat(here.getSegmentsMap()).containsValue("node-1"));
    ControllerPublishVolumeRequest attached = driver.last(ControllerPublishVolumeRequest.class);
    assertThat(attached.getNodeId()).isEqualTo("node-1");
    NodeStageVolumeRequest staged = driver.last(NodeStageVolumeRequest.class);
    NodePublishVolumeRequest published = driver.last(NodePublishVolumeRequest.class);
    for (VolumeCapability capability :
        List.of(
            created.getVolumeCapabilities(0),
            attached.getVolumeCapability(),
            staged.getVolumeCapability(),
            published.getVolumeCapability())) {
      assertThat(capability.getMount().getFsType()).isEqualTo("ext4");
      assertThat(capability.getMount().getMountFlagsList()).containsExactly("noatime");
      assertThat(capability.getAccessMode().getMode()).isEqualTo(Mode.SINGLE_NODE_SINGLE_WRITER);
    }
    assertThat(published.getVolumeContextMap())
        .containsEntry("csi.storage.k8s.io/pod.name", "first")
        .containsEntry("csi.storage.k8s.io/pod.uid", pod.getMetadata().getUid());
    assertThat(published.getStagingTargetPath()).isEqualTo(staged.getStagingTargetPath());
    for (Map<String, String> secrets :
        List.of(
            created.getSecretsMap(),
            attached.getSecretsMap(),
            staged.getSecretsMap(),
            published.getSecretsMap())) {
      assertThat(secrets).containsExactly(Map.entry("password", PASSWORD));
    }
    driver.next("ControllerModifyVolume", Misdeed.ABORTS);
    volumes.modify("v", "tier", "fast");
    driver.next("CreateSnapshot", Misdeed.FAILS_AFTER_WORK);
    assertThat(Failures.of(() -> volumes.snapshot("v", "s")).message()).doesNotContain(PASSWORD);
    VolumeCalls.deleteSnapshot(
        node, MisbehavingDriver.NAME, volumes.snapshot("v", "s").getSnapshotId());
    assertThat(node.daemon().log()).contains("ABORTED").doesNotContain(PASSWORD);
    try (Stream<Path> files = Files.walk(node.root().resolve("volumes"))) {
      for (Path file : files.filter(each -> each.endsWith("record")).toList()) {
        assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
            .doesNotContain(PASSWORD);
      }
    }

    assertThat(Failures.code(() -> node.cri().runPod(pod("second"))))
        .as("it is for one workload alone")
        .isEqualTo(Status.Code.FAILED_PRECONDITION);
  }

  private static PodSandboxConfig pod(String name) {
    return node.pod(name).putAnnotations("volumes.keelson.io/d", "{\"volume\": \"v\"}").build();
  }

  @Test
  void aDriverThatGivesGroupsIsToldWhichAndTheDaemonLeavesTheFilesAlone() throws IOException {
    volumes.create(
        VolumeCalls.request("grouped", MisbehavingDriver.NAME, 2)
            .setVolume(CsiVolume.newBuilder().setDriver(MisbehavingDriver.NAME).setFsGroup(4711))
            .build());
    Publication publication = volumes.publish("g", VolumeCalls.named("grouped"));

    for (VolumeCapability capability :
        List.of(
            driver.last(NodeStageVolumeRequest.class).getVolumeCapability(),
            driver.last(NodePublishVolumeRequest.class).getVolumeCapability())) {
      assertThat(capability.getMount().getVolumeMountGroup()).isEqualTo("4711");
    }
    assertThat(Files.getAttribute(Path.of(publication.getPath()), "unix:gid")).isEqualTo(0);
    volumes.unpublish("g");
  }

  @Test
  void aVolumeThatIsIllOnThisNodeIsToldWithItsUsage() {
    volumes.create(VolumeCalls.request("ill", MisbehavingDriver.NAME, 2).build());
    volumes.publish("i", VolumeCalls.named("ill"));
    assertThat(stats("ill").getCondition().getAbnormal()).isFalse();

    driver.volumesAreIll("the disk clicks");

    assertThat(stats("ill").getUsageList()).isNotEmpty();
    assertThat(stats("ill").getCondition().getAbnormal()).isTrue();
    assertThat(stats("ill").getCondition().getMessage()).isEqualTo("the disk clicks");
    assertThat(Shell.run(node.keelson("volumes", "stats", "ill")).output())
        .contains("the disk clicks");
    Waits.until(() -> !volumes.list().getFirst().getAbnormalList().isEmpty(), "it is listed so");
    assertThat(volumes.list().getFirst().getAbnormalList())
        .singleElement()
        .satisfies(
            it -> {
              assertThat(it.getLevel()).as("where it was seen").isEqualTo("node");
              assertThat(it.getMessage()).isEqualTo("the disk clicks");
              assertThat(it.getSince().getSeconds()).isPositive();
            });
    assertThat(Shell.run(node.keelson("volumes")).output())
        .contains("not well (node): the disk clicks");
    assertThat(METRICS.get("/debug")).contains("volume ill is not well (node): the disk clicks");
    String metrics = METRICS.get("/metrics");
    assertThat(MetricsEndpoint.value(metrics, "keelson_volumes_abnormal{level=\"node\",}"))
        .isEqualTo(1);
    assertThat(MetricsEndpoint.value(metrics, "keelson_volumes_abnormal{level=\"controller\",}"))
        .isZero();

    driver.behave();
    Waits.until(() -> volumes.list().getFirst().getAbnormalList().isEmpty(), "it is well again");
    volumes.unpublish("i");
  }

  private static VolumeStatsResponse stats(String volume) {
    return node.cri()
        .volumes()
        .volumeStats(VolumeStatsRequest.newBuilder().setName(volume).build());
  }

  @Test
  void slowCallsTellHowFarTheyAreAndAllAreCounted() {
    driver.next("CreateVolume", Misdeed.ABORTS, Misdeed.ABORTS);
    List<VolumeProgress> told = new ArrayList<>();
    node.cri()
        .volumes()
        .createVolume(VolumeCalls.request("slow", MisbehavingDriver.NAME, 2).build())
        .forEachRemaining(told::add);
    assertThat(told)
        .filteredOn(each -> each.getStep().equals("CreateVolume"))
        .extracting(VolumeProgress::getAttempt)
        .containsExactly(1, 2, 3);
    assertThat(told.get(told.size() - 2).getMessage()).contains("ABORTED", "on command");
    assertThat(told.getLast().getVolume().getName()).isEqualTo("slow");

    String metrics = METRICS.get("/metrics");
    assertThat(MetricsEndpoint.value(metrics, sample("calls_total", ",code=\"ABORTED\"")))
        .isEqualTo(2);
    assertThat(MetricsEndpoint.value(metrics, sample("calls_total", ",code=\"OK\""))).isPositive();
    assertThat(MetricsEndpoint.value(metrics, sample("call_seconds_count", ""))).isGreaterThan(2);
    assertThat(MetricsEndpoint.value(metrics, "keelson_volumes{state=\"idle\",}")).isEqualTo(1);
  }

  @Test
  void allSlowCallsTellHowFarTheyAre() {
    volumes.create(VolumeCalls.request("slow", MisbehavingDriver.NAME, 2).build());
    assertTold(
        "ControllerExpandVolume",
        calls ->
            calls.expandVolume(
                ExpandVolumeRequest.newBuilder()
                    .setName("slow")
                    .setSizeBytes(4 * VolumeCalls.MIB)
                    .build()));
    volumes.publish("s", VolumeCalls.named("slow"));
    String snapshot =
        assertTold(
                "CreateSnapshot",
                calls ->
                    calls.snapshotVolume(
                        SnapshotVolumeRequest.newBuilder().setVolume("slow").setName("s").build()))
            .getSnapshot()
            .getSnapshotId();
    assertTold(
        "DeleteSnapshot",
        calls ->
            calls.deleteSnapshot(
                DeleteSnapshotRequest.newBuilder()
                    .setDriver(MisbehavingDriver.NAME)
                    .setSnapshotId(snapshot)
                    .build()));
    assertTold(
        "NodeUnpublishVolume",
        calls -> calls.unpublishVolume(UnpublishVolumeRequest.newBuilder().setId("s").build()));
    assertTold(
        "DeleteVolume",
        calls -> calls.deleteVolume(DeleteVolumeRequest.newBuilder().setName("slow").build()));
  }

  /** The driver is busy at first; the caller is told so while it waits. Answers the result. */
  private static VolumeProgress assertTold(
      String method, Function<VolumeServiceBlockingStub, Iterator<VolumeProgress>> call) {
    driver.next(method, Misdeed.ABORTS);
    List<VolumeProgress> told = new ArrayList<>();
    call.apply(node.cri().volumes()).forEachRemaining(told::add);
    assertThat(told)
        .filteredOn(each -> each.getStep().equals(method))
        .satisfiesExactly(
            first -> assertThat(first.getMessage()).isEmpty(),
            second -> {
              assertThat(second.getAttempt()).isEqualTo(2);
              assertThat(second.getMessage()).contains("ABORTED", "on command");
            });
    assertThat(told.getLast().getResultCase()).isNotEqualTo(ResultCase.RESULT_NOT_SET);
    return told.getLast();
  }

  private static String sample(String name, String more) {
    return "keelson_csi_%s{driver=\"%s\",method=\"CreateVolume\"%s,}"
        .formatted(name, MisbehavingDriver.NAME, more);
  }

  @Test
  void aDriverTellsOfItselfAndOfWhatItHas() {
    String id =
        volumes
            .create(VolumeCalls.request("listed", MisbehavingDriver.NAME, 2).build())
            .getSource()
            .getCsi()
            .getVolumeId();
    String snapshot = volumes.snapshot("listed", "s").getSnapshotId();
    DescribeStorageResponse storage =
        node.cri()
            .volumes()
            .describeStorage(
                DescribeStorageRequest.newBuilder().setDriver(MisbehavingDriver.NAME).build());
    assertThat(storage.getVolumesList()).extracting(Volume::getVolumeId).containsExactly(id);
    assertThat(storage.getSnapshotsList())
        .singleElement()
        .satisfies(each -> assertThat(each.getSnapshotId()).isEqualTo(snapshot));
    assertThat(storage.getAvailableBytes()).isPositive();

    DescribeVolumeResponse volume =
        node.cri()
            .volumes()
            .describeVolume(DescribeVolumeRequest.newBuilder().setName("listed").build());
    assertThat(volume.getVolume().getCapacityBytes()).isEqualTo(2 * VolumeCalls.MIB);
    assertThat(volume.getCondition().getAbnormal()).isFalse();
    assertThat(volume.getUnusable()).isEmpty();
    assertThat(driver.last(ValidateVolumeCapabilitiesRequest.class).getVolumeId()).isEqualTo(id);

    DriverStatus status =
        node
            .cri()
            .volumes()
            .listDrivers(ListDriversRequest.getDefaultInstance())
            .getDriversList()
            .stream()
            .filter(each -> each.getName().equals(MisbehavingDriver.NAME))
            .findFirst()
            .orElseThrow();
    assertThat(status.getOrigin()).isEqualTo("configuration");
    assertThat(status.getNodeId()).isEqualTo("node-1");
    assertThat(status.getTopologyMap()).containsValue("node-1");
    assertThat(status.getCapabilitiesList())
        .contains("CONTROLLER_CREATE_DELETE_VOLUME", "SNAPSHOT_METADATA_SERVICE");
    VolumeCalls.deleteSnapshot(node, MisbehavingDriver.NAME, snapshot);
  }
}
