package io.keelson.csi.volume;

import io.keelson.proto.csi.v1.VolumeCapability.AccessMode.Mode;
import io.keelson.proto.record.v1.PublicationRecord;
import io.keelson.sandbox.error.FailedPreconditionException;

/** What the access mode of a CSI volume lets happen on one node. */
final class AccessModes {

  private AccessModes() {}

  /**
   * @throws FailedPreconditionException if the volume is for one workload and another one has it
   */
  static void check(VolumeEntry volume, PublicationRecord wanted) {
    if (wanted.getSource().getCsi().getAccessMode() != Mode.SINGLE_NODE_SINGLE_WRITER) {
      return;
    }
    for (PublicationRecord other : volume.publications()) {
      if (!other.getId().equals(wanted.getId())) {
        throw new FailedPreconditionException(
            "volume %s is for one workload alone, and publication %s has it"
                .formatted(volume.key(), other.getId()));
      }
    }
  }
}
