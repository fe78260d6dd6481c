package io.keelson.csi.volume;

import io.keelson.proto.csi.v1.VolumeCapability.AccessMode.Mode;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.proto.record.v1.PublicationRecord;
import io.keelson.sandbox.error.FailedPreconditionException;

/**
 * What the access mode of a CSI volume lets happen on one node (CSI spec, "NodePublishVolume": the
 * table of second calls). The daemon holds to it by itself, as a driver that does not know a mode
 * is told the nearest older one.
 */
final class AccessModes {

  private AccessModes() {}

  /**
   * @throws FailedPreconditionException if the volume is published at one place at a time, and
   *     another publication has it
   */
  static void check(VolumeEntry volume, PublicationRecord wanted) {
    VolumeSource source = wanted.getSource();
    if (!source.hasCsi() || isForMany(source.getCsi().getAccessMode())) {
      return;
    }
    for (PublicationRecord other : volume.publications()) {
      if (!other.getId().equals(wanted.getId())) {
        throw new FailedPreconditionException(
            "volume %s has access mode %s, and publication %s%s has it already"
                .formatted(
                    volume.key(),
                    mode(source),
                    other.getId(),
                    other.getPodId().isEmpty() ? "" : " of pod " + other.getPodId()));
      }
    }
  }

  /** Nobody may write, whatever a publication asks for. */
  static boolean isReadOnly(VolumeSource source) {
    return source.hasCsi()
        && switch (source.getCsi().getAccessMode()) {
          case SINGLE_NODE_READER_ONLY, MULTI_NODE_READER_ONLY -> true;
          case UNKNOWN,
              SINGLE_NODE_WRITER,
              SINGLE_NODE_SINGLE_WRITER,
              SINGLE_NODE_MULTI_WRITER,
              MULTI_NODE_SINGLE_WRITER,
              MULTI_NODE_MULTI_WRITER,
              UNRECOGNIZED ->
              false;
        };
  }

  private static boolean isForMany(Mode mode) {
    return switch (mode) {
      case SINGLE_NODE_MULTI_WRITER,
          MULTI_NODE_READER_ONLY,
          MULTI_NODE_SINGLE_WRITER,
          MULTI_NODE_MULTI_WRITER ->
          true;
      case UNKNOWN,
          SINGLE_NODE_WRITER,
          SINGLE_NODE_READER_ONLY,
          SINGLE_NODE_SINGLE_WRITER,
          UNRECOGNIZED ->
          false;
    };
  }

  private static Mode mode(VolumeSource source) {
    Mode mode = source.getCsi().getAccessMode();
    return mode == Mode.UNKNOWN ? Mode.SINGLE_NODE_WRITER : mode;
  }
}
