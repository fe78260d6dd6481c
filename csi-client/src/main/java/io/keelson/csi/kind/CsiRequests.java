package io.keelson.csi.kind;

import io.keelson.csi.driver.DriverInfo;
import io.keelson.proto.csi.v1.NodeServiceCapability;
import io.keelson.proto.csi.v1.VolumeCapability;
import io.keelson.proto.csi.v1.VolumeCapability.AccessMode.Mode;
import io.keelson.proto.node.v1.CsiVolume;
import io.keelson.proto.record.v1.PublicationRecord;
import java.util.Map;
import java.util.TreeMap;

/** Parts of requests to CSI drivers. */
public final class CsiRequests {

  private static final String POD_NAME = "csi.storage.k8s.io/pod.name";
  private static final String POD_NAMESPACE = "csi.storage.k8s.io/pod.namespace";
  private static final String POD_UID = "csi.storage.k8s.io/pod.uid";
  private static final String EPHEMERAL = "csi.storage.k8s.io/ephemeral";

  private CsiRequests() {}

  /**
   * How a volume is to be used.
   *
   * @param selinuxLabel with which it is mounted, {@code ""} for none
   */
  public static VolumeCapability capability(
      CsiVolume volume, String selinuxLabel, DriverInfo driver) {
    VolumeCapability.Builder capability =
        VolumeCapability.newBuilder()
            .setAccessMode(
                VolumeCapability.AccessMode.newBuilder()
                    .setMode(mode(volume.getAccessMode(), driver)));
    if (volume.getBlock()) {
      return capability.setBlock(VolumeCapability.BlockVolume.getDefaultInstance()).build();
    }
    VolumeCapability.MountVolume.Builder mount =
        VolumeCapability.MountVolume.newBuilder()
            .setFsType(volume.getFsType())
            .addAllMountFlags(volume.getMountFlagsList());
    if (!selinuxLabel.isEmpty()) {
      mount.addMountFlags("context=\"" + selinuxLabel + "\"");
    }
    if (volume.hasFsGroup() && setsGroup(driver)) {
      mount.setVolumeMountGroup(Long.toString(volume.getFsGroup()));
    }
    return capability.setMount(mount).build();
  }

  /** What a driver calls a volume; an ephemeral one is called after its only publication. */
  public static String volumeId(CsiVolume volume, String publicationId) {
    return volume.getEphemeral() ? Keys.ephemeralId(publicationId) : volume.getVolumeId();
  }

  /** The driver itself sees to it that the files belong to a group. */
  static boolean setsGroup(DriverInfo driver) {
    return driver.can(NodeServiceCapability.RPC.Type.VOLUME_MOUNT_GROUP);
  }

  /** A driver that does not know the newer modes is told the nearest older one. */
  private static Mode mode(Mode asked, DriverInfo driver) {
    return switch (asked) {
      case UNKNOWN -> Mode.SINGLE_NODE_WRITER;
      case SINGLE_NODE_SINGLE_WRITER, SINGLE_NODE_MULTI_WRITER ->
          driver.can(NodeServiceCapability.RPC.Type.SINGLE_NODE_MULTI_WRITER)
              ? asked
              : Mode.SINGLE_NODE_WRITER;
      case SINGLE_NODE_WRITER,
          SINGLE_NODE_READER_ONLY,
          MULTI_NODE_READER_ONLY,
          MULTI_NODE_SINGLE_WRITER,
          MULTI_NODE_MULTI_WRITER,
          UNRECOGNIZED ->
          asked;
    };
  }

  /** The volume's context, with what the driver wants to know of the pod. */
  static Map<String, String> context(CsiVolume volume, PublicationRecord publication) {
    Map<String, String> context = new TreeMap<>(volume.getVolumeContextMap());
    if (volume.getPodInfo() || volume.getEphemeral()) {
      context.put(POD_NAME, publication.getPodName());
      context.put(POD_NAMESPACE, publication.getPodNamespace());
      context.put(POD_UID, publication.getPodUid());
      context.put(EPHEMERAL, Boolean.toString(volume.getEphemeral()));
    }
    return context;
  }
}
