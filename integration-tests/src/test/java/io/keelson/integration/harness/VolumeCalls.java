package io.keelson.integration.harness;

import io.keelson.proto.csi.v1.CapacityRange;
import io.keelson.proto.csi.v1.Snapshot;
import io.keelson.proto.csi.v1.VolumeGroupSnapshot;
import io.keelson.proto.node.v1.CreateVolumeRequest;
import io.keelson.proto.node.v1.CsiVolume;
import io.keelson.proto.node.v1.DeleteSnapshotGroupRequest;
import io.keelson.proto.node.v1.DeleteSnapshotRequest;
import io.keelson.proto.node.v1.DeleteVolumeRequest;
import io.keelson.proto.node.v1.ExpandVolumeRequest;
import io.keelson.proto.node.v1.ListVolumesRequest;
import io.keelson.proto.node.v1.ModifyVolumeRequest;
import io.keelson.proto.node.v1.Publication;
import io.keelson.proto.node.v1.PublishVolumeRequest;
import io.keelson.proto.node.v1.SnapshotGroupRequest;
import io.keelson.proto.node.v1.SnapshotVolumeRequest;
import io.keelson.proto.node.v1.UnpublishVolumeRequest;
import io.keelson.proto.node.v1.VolumeProgress;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.proto.node.v1.VolumeStatus;
import java.util.Iterator;
import java.util.List;

/** Calls of the VolumeService, each to its last message. */
public final class VolumeCalls {

  /** The name of the built-in driver. */
  public static final String LOCAL = "local.csi.keelson.io";

  public static final long MIB = 1 << 20;

  private final TestNode node;

  public VolumeCalls(TestNode node) {
    this.node = node;
  }

  /** The last message of a stream. */
  public static VolumeProgress last(Iterator<VolumeProgress> messages) {
    VolumeProgress last = VolumeProgress.getDefaultInstance();
    while (messages.hasNext()) {
      last = messages.next();
    }
    return last;
  }

  public static CreateVolumeRequest.Builder request(String name, String driver, long mib) {
    return CreateVolumeRequest.newBuilder()
        .setName(name)
        .setVolume(CsiVolume.newBuilder().setDriver(driver))
        .setCapacity(CapacityRange.newBuilder().setRequiredBytes(mib * MIB));
  }

  public VolumeStatus create(String name, long mib) {
    return create(request(name, LOCAL, mib).build());
  }

  public VolumeStatus create(CreateVolumeRequest request) {
    return last(node.cri().volumes().createVolume(request)).getVolume();
  }

  public void delete(String name) {
    boolean gone =
        last(node.cri()
                .volumes()
                .deleteVolume(DeleteVolumeRequest.newBuilder().setName(name).build()))
            .getGone();
    if (!gone) {
      throw new AssertionError("no word that volume " + name + " is gone");
    }
  }

  public VolumeStatus expand(String name, long bytes) {
    return last(node.cri()
            .volumes()
            .expandVolume(
                ExpandVolumeRequest.newBuilder().setName(name).setSizeBytes(bytes).build()))
        .getVolume();
  }

  public VolumeStatus modify(String name, String parameter, String value) {
    return last(node.cri()
            .volumes()
            .modifyVolume(
                ModifyVolumeRequest.newBuilder()
                    .setName(name)
                    .putChangeableParameters(parameter, value)
                    .build()))
        .getVolume();
  }

  public Snapshot snapshot(String volume, String name) {
    return last(node.cri()
            .volumes()
            .snapshotVolume(
                SnapshotVolumeRequest.newBuilder().setVolume(volume).setName(name).build()))
        .getSnapshot();
  }

  public VolumeGroupSnapshot snapshotGroup(String name, String... members) {
    return last(node.cri()
            .volumes()
            .snapshotGroup(
                SnapshotGroupRequest.newBuilder()
                    .setName(name)
                    .addAllVolumes(List.of(members))
                    .build()))
        .getGroup();
  }

  public void deleteGroup(String driver, String id, String... snapshots) {
    last(
        node.cri()
            .volumes()
            .deleteSnapshotGroup(
                DeleteSnapshotGroupRequest.newBuilder()
                    .setDriver(driver)
                    .setGroupSnapshotId(id)
                    .addAllSnapshotIds(List.of(snapshots))
                    .build()));
  }

  public static void deleteSnapshot(TestNode node, String driver, String id) {
    last(
        node.cri()
            .volumes()
            .deleteSnapshot(
                DeleteSnapshotRequest.newBuilder().setDriver(driver).setSnapshotId(id).build()));
  }

  public Publication publish(String id, VolumeSource source) {
    return last(node.cri()
            .volumes()
            .publishVolume(PublishVolumeRequest.newBuilder().setId(id).setSource(source).build()))
        .getPublication();
  }

  public void unpublish(String id) {
    boolean gone =
        last(node.cri()
                .volumes()
                .unpublishVolume(UnpublishVolumeRequest.newBuilder().setId(id).build()))
            .getGone();
    if (!gone) {
      throw new AssertionError("no word that publication " + id + " is gone");
    }
  }

  public List<VolumeStatus> list() {
    return node.cri()
        .volumes()
        .listVolumes(ListVolumesRequest.getDefaultInstance())
        .getVolumesList();
  }

  /** Where volumes of the daemon are mounted, staged or published. */
  public List<String> mounts() {
    String prefix = node.root().resolve("volumes") + "/";
    return Shell.output("cat", "/proc/self/mountinfo")
        .lines()
        .map(line -> line.split(" ", -1)[4])
        .filter(target -> target.startsWith(prefix))
        .toList();
  }

  /** A volume by the name that CreateVolume gave it. */
  public static VolumeSource named(String name) {
    return VolumeSource.newBuilder().setVolume(name).build();
  }
}
