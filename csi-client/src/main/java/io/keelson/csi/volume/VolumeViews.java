package io.keelson.csi.volume;

import com.google.protobuf.Timestamp;
import io.keelson.proto.node.v1.Publication;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.proto.node.v1.VolumeStatus;
import io.keelson.proto.record.v1.PublicationRecord;
import io.keelson.proto.record.v1.VolumeRecord;
import java.util.Locale;

/** Volumes as callers see them; answered from memory. */
final class VolumeViews {

  private static final long NANOS = 1_000_000_000L;

  private VolumeViews() {}

  static VolumeStatus of(VolumeEntry volume) {
    VolumeRecord record = volume.record();
    VolumeStatus.Builder status =
        VolumeStatus.newBuilder()
            .setKey(volume.key())
            .setName(record.getName())
            .setSource(withoutSecrets(record.getSource()))
            .setState(word(record.getPhase().name()))
            .setCapacityBytes(record.getCapacityBytes())
            .setCreatedAt(timestamp(record.getCreatedAt()));
    volume.publications().forEach(each -> status.addPublications(of(each)));
    VolumeEntry.Trouble trouble = volume.trouble();
    if (trouble != null) {
      status
          .setTrouble(trouble.reason())
          .setTroubleSince(timestamp(trouble.since()))
          .setFailedAttempts(trouble.attempts());
    }
    return status.build();
  }

  static Publication of(PublicationRecord publication) {
    return Publication.newBuilder()
        .setId(publication.getId())
        .setPodId(publication.getPodId())
        .setName(publication.getName())
        .setState(word(publication.getPhase().name()))
        .setPath(publication.getPath())
        .setReadOnly(publication.getSource().getReadOnly())
        .build();
  }

  /** Mount flags may hold a password, as some options do. */
  private static VolumeSource withoutSecrets(VolumeSource source) {
    VolumeSource.Builder shown = source.toBuilder();
    if (source.hasCsi()) {
      shown.getCsiBuilder().clearMountFlags();
    }
    if (source.hasDocker()) {
      shown
          .getDockerBuilder()
          .clearOptions()
          .putAllOptions(SecretOptions.withoutThem(source.getDocker().getOptionsMap()));
    }
    return shown.build();
  }

  private static String word(String phase) {
    return phase.substring(phase.indexOf("PHASE_") + "PHASE_".length()).toLowerCase(Locale.ROOT);
  }

  private static Timestamp timestamp(long nanoseconds) {
    return Timestamp.newBuilder()
        .setSeconds(nanoseconds / NANOS)
        .setNanos((int) (nanoseconds % NANOS))
        .build();
  }
}
