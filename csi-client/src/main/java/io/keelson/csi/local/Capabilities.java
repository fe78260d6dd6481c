package io.keelson.csi.local;

import io.keelson.proto.csi.v1.VolumeCapability;
import io.keelson.proto.record.v1.LocalVolumeRecord.Layout;
import java.util.List;

/** Which uses of a volume the local driver can serve. */
final class Capabilities {

  private Capabilities() {}

  /** Answers whether one of them is raw block. */
  static boolean check(List<VolumeCapability> capabilities) {
    if (capabilities.isEmpty()) {
      throw Failures.invalid("volume_capabilities are missing");
    }
    capabilities.forEach(Capabilities::check);
    boolean block = capabilities.stream().anyMatch(VolumeCapability::hasBlock);
    if (block && capabilities.stream().anyMatch(VolumeCapability::hasMount)) {
      throw Failures.invalid("a volume is a device or a file system, not both");
    }
    return block;
  }

  static void check(VolumeCapability capability) {
    if (!capability.hasBlock() && !capability.hasMount()) {
      throw Failures.invalid("a volume capability is neither block nor mount");
    }
    String refusal = refusal(capability);
    if (!refusal.isEmpty()) {
      throw Failures.invalid(refusal);
    }
  }

  /** Why it can't be served, {@code ""} if it can. */
  static String refusal(VolumeCapability capability) {
    return switch (capability.getAccessMode().getMode()) {
      case SINGLE_NODE_WRITER,
          SINGLE_NODE_READER_ONLY,
          SINGLE_NODE_SINGLE_WRITER,
          SINGLE_NODE_MULTI_WRITER ->
          "";
      case MULTI_NODE_READER_ONLY,
          MULTI_NODE_SINGLE_WRITER,
          MULTI_NODE_MULTI_WRITER,
          UNKNOWN,
          UNRECOGNIZED ->
          "volumes on a node's own disk have access modes of a single node, not "
              + capability.getAccessMode().getMode();
    };
  }

  static boolean fits(VolumeCapability capability, Layout layout) {
    return refusal(capability).isEmpty()
        && (!capability.hasBlock() || layout == Layout.LAYOUT_IMAGE);
  }
}
