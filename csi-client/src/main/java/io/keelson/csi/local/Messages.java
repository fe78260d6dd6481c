package io.keelson.csi.local;

import com.google.protobuf.Timestamp;
import io.keelson.proto.csi.v1.Snapshot;
import io.keelson.proto.csi.v1.Volume;
import io.keelson.proto.csi.v1.VolumeContentSource;
import io.keelson.proto.record.v1.LocalVolumeRecord;

/** Records as the contract has them. */
final class Messages {

  private static final long NANOS = 1_000_000_000L;

  private Messages() {}

  static Volume volume(LocalVolumeRecord record, Topologies topologies) {
    Volume.Builder volume =
        Volume.newBuilder()
            .setVolumeId(record.getId())
            .setCapacityBytes(record.getCapacityBytes())
            .addAccessibleTopology(topologies.here());
    if (!record.getSourceSnapshotId().isEmpty()) {
      volume.setContentSource(
          VolumeContentSource.newBuilder()
              .setSnapshot(
                  VolumeContentSource.SnapshotSource.newBuilder()
                      .setSnapshotId(record.getSourceSnapshotId())));
    } else if (!record.getSourceVolumeId().isEmpty()) {
      volume.setContentSource(
          VolumeContentSource.newBuilder()
              .setVolume(
                  VolumeContentSource.VolumeSource.newBuilder()
                      .setVolumeId(record.getSourceVolumeId())));
    }
    return volume.build();
  }

  static Snapshot snapshot(LocalVolumeRecord record) {
    return Snapshot.newBuilder()
        .setSnapshotId(record.getId())
        .setSourceVolumeId(record.getSourceVolumeId())
        .setSizeBytes(record.getCapacityBytes())
        .setReadyToUse(record.getReady())
        .setCreationTime(
            Timestamp.newBuilder()
                .setSeconds(record.getCreatedAt() / NANOS)
                .setNanos((int) (record.getCreatedAt() % NANOS)))
        .build();
  }
}
