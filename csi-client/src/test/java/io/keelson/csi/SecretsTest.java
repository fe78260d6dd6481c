package io.keelson.csi;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.MapEntry;
import com.google.protobuf.Message;
import io.grpc.Status;
import io.keelson.csi.driver.Operation;
import io.keelson.csi.volume.PublicationRequest;
import io.keelson.proto.csi.v1.ControllerExpandVolumeRequest;
import io.keelson.proto.csi.v1.ControllerModifyVolumeRequest;
import io.keelson.proto.csi.v1.ControllerPublishVolumeRequest;
import io.keelson.proto.csi.v1.ControllerUnpublishVolumeRequest;
import io.keelson.proto.csi.v1.CreateSnapshotRequest;
import io.keelson.proto.csi.v1.CreateVolumeGroupSnapshotRequest;
import io.keelson.proto.csi.v1.CreateVolumeRequest;
import io.keelson.proto.csi.v1.DeleteSnapshotRequest;
import io.keelson.proto.csi.v1.DeleteVolumeGroupSnapshotRequest;
import io.keelson.proto.csi.v1.DeleteVolumeRequest;
import io.keelson.proto.csi.v1.GetSnapshotRequest;
import io.keelson.proto.csi.v1.GetVolumeGroupSnapshotRequest;
import io.keelson.proto.csi.v1.ListSnapshotsRequest;
import io.keelson.proto.csi.v1.NodeExpandVolumeRequest;
import io.keelson.proto.csi.v1.NodePublishVolumeRequest;
import io.keelson.proto.csi.v1.NodeStageVolumeRequest;
import io.keelson.proto.csi.v1.ValidateVolumeCapabilitiesRequest;
import io.keelson.proto.node.v1.DeleteSnapshotGroupRequest;
import io.keelson.proto.node.v1.DescribeStorageRequest;
import io.keelson.proto.node.v1.ModifyVolumeRequest;
import io.keelson.proto.node.v1.SnapshotGroupRequest;
import io.keelson.proto.node.v1.SnapshotVolumeRequest;
import io.keelson.sandbox.error.KeelsonException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every call that may carry secrets carries those of its volume; no record has them, and nobody
 * reads them.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SecretsTest {

  private static final String PASSWORD = "very-hidden-word";
  private static final String FOLDER = "vault";

  /** All with a field {@code secrets}, but for those of the SnapshotMetadata service. */
  private static final List<Class<? extends Message>> WITH_SECRETS =
      List.of(
          CreateVolumeRequest.class,
          DeleteVolumeRequest.class,
          ControllerPublishVolumeRequest.class,
          ControllerUnpublishVolumeRequest.class,
          ValidateVolumeCapabilitiesRequest.class,
          ControllerExpandVolumeRequest.class,
          ControllerModifyVolumeRequest.class,
          CreateSnapshotRequest.class,
          DeleteSnapshotRequest.class,
          GetSnapshotRequest.class,
          ListSnapshotsRequest.class,
          CreateVolumeGroupSnapshotRequest.class,
          DeleteVolumeGroupSnapshotRequest.class,
          GetVolumeGroupSnapshotRequest.class,
          NodeStageVolumeRequest.class,
          NodePublishVolumeRequest.class,
          NodeExpandVolumeRequest.class);

  @RegisterExtension final NodeUnderTest node = new NodeUnderTest();

  @Test
  void theyReachTheDriverAndNoRecord() throws IOException {
    Files.writeString(
        Files.createDirectories(node.secrets().resolve(FOLDER)).resolve("password"), PASSWORD);
    live();

    for (Message request : node.driver().requests()) {
      FieldDescriptor field = request.getDescriptorForType().findFieldByName("secrets");
      if (field != null) {
        assertThat(request.getRepeatedFieldCount(field))
            .as(request.getClass().getSimpleName())
            .isOne();
        MapEntry<?, ?> secret = (MapEntry<?, ?>) request.getRepeatedField(field, 0);
        assertThat(secret.getKey()).isEqualTo("password");
        assertThat(secret.getValue()).isEqualTo(PASSWORD);
      }
    }
    for (Class<? extends Message> kind : WITH_SECRETS) {
      assertThat(node.driver().requests(kind)).as(kind.getSimpleName()).isNotEmpty();
    }
  }

  /** Not in what its caller reads, nor in what is logged of causes, recorded or listed. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "CreateVolume",
        "ControllerPublishVolume",
        "NodeStageVolume",
        "NodePublishVolume",
        "NodeGetVolumeStats",
        "NodeUnpublishVolume",
        "NodeUnstageVolume",
        "ControllerUnpublishVolume",
        "DeleteVolume"
      })
  void aDriversOwnWordsLackThem(String method) throws IOException {
    Files.writeString(
        Files.createDirectories(node.secrets().resolve(FOLDER)).resolve("password"),
        PASSWORD + "\n");
    Status words = Status.ABORTED.withDescription("mount -o password=" + PASSWORD + " said no");
    Misdeed passing = new Misdeed(false, Optional.of(words), false);
    Misdeed lasting =
        new Misdeed(
            false, Optional.of(Status.INTERNAL.withDescription(words.getDescription())), false);
    node.driver().next(method, passing, lasting, lasting, lasting);
    StringWriter told = new StringWriter();
    try {
      node.create(
          NodeUnderTest.request("v").setVolume(NodeUnderTest.csi().setSecret(FOLDER)).build());
      node.volumes()
          .volumes()
          .publish(
              PublicationRequest.ofNode("p", NodeUnderTest.named("v")),
              (_, _, before) -> told.append(before));
      node.volumes().queries().stats("p");
      node.unpublish("p");
      node.delete("v");
    } catch (KeelsonException e) {
      e.printStackTrace(new PrintWriter(told));
    }
    told.append(node.volumes().volumes().list().toString());

    assertThat(told.toString()).contains("password=*** said no").doesNotContain(PASSWORD);
    node.driver().behave();
  }

  private void live() throws IOException {
    Operation.Listener nobody = Operation.Listener.NONE;
    NodeVolumes volumes = node.volumes();
    node.create(
        NodeUnderTest.request("v").setVolume(NodeUnderTest.csi().setSecret(FOLDER)).build());
    node.publish("p", "v");
    volumes.provisioning().expand("v", 2 * NodeUnderTest.MIB, nobody);
    volumes.provisioning().modify(ModifyVolumeRequest.newBuilder().setName("v").build(), nobody);
    volumes.provisioning().validate("v");
    node.driver().storage.looksUntilReady.set(1);
    String snapshot =
        volumes
            .snapshots()
            .create(SnapshotVolumeRequest.newBuilder().setVolume("v").setName("s").build(), nobody)
            .getSnapshotId();
    volumes
        .queries()
        .describe(
            DescribeStorageRequest.newBuilder()
                .setDriver(TestDriver.NAME)
                .setSecret(FOLDER)
                .build());
    volumes
        .snapshots()
        .delete(
            io.keelson.proto.node.v1.DeleteSnapshotRequest.newBuilder()
                .setDriver(TestDriver.NAME)
                .setSnapshotId(snapshot)
                .setSecret(FOLDER)
                .build(),
            nobody);
    node.driver().storage.looksUntilReady.set(1);
    String group =
        volumes
            .snapshots()
            .createGroup(
                SnapshotGroupRequest.newBuilder().setName("g").addVolumes("v").build(), nobody)
            .getGroupSnapshotId();
    volumes
        .snapshots()
        .deleteGroup(
            DeleteSnapshotGroupRequest.newBuilder()
                .setDriver(TestDriver.NAME)
                .setGroupSnapshotId(group)
                .setSecret(FOLDER)
                .build(),
            nobody);
    noRecordHasThem();
    node.unpublish("p");
    noRecordHasThem();
    node.delete("v");
  }

  private void noRecordHasThem() throws IOException {
    try (Stream<Path> files = Files.walk(node.root())) {
      List<Path> records = files.filter(each -> each.endsWith("record")).toList();
      assertThat(records).isNotEmpty();
      for (Path record : records) {
        assertThat(new String(Files.readAllBytes(record), StandardCharsets.ISO_8859_1))
            .doesNotContain(PASSWORD);
      }
    }
  }
}
