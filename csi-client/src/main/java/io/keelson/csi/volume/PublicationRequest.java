package io.keelson.csi.volume;

import io.keelson.proto.node.v1.VolumeSource;

/**
 * A wish for a volume at a place of its own.
 *
 * @param id the same id is the same publication
 * @param podId {@code ""} if it belongs to no pod
 * @param name of the volume within the pod
 * @param selinuxLabel with which files shall appear, {@code ""} for none
 */
public record PublicationRequest(
    String id,
    String podId,
    String name,
    String podName,
    String podNamespace,
    String podUid,
    String selinuxLabel,
    VolumeSource source) {

  /** A publication that belongs to no pod. */
  public static PublicationRequest ofNode(String id, VolumeSource source) {
    return new PublicationRequest(id, "", "", "", "", "", "", source);
  }
}
