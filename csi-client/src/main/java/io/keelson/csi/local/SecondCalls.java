package io.keelson.csi.local;

import io.keelson.linux.LoopDevices;
import io.keelson.linux.MountInfo;
import io.keelson.proto.csi.v1.VolumeCapability.AccessMode.Mode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A second NodePublishVolume of a volume (CSI spec, "NodePublishVolume", the table). */
final class SecondCalls {

  private SecondCalls() {}

  /** At the same target a volume is published in one way. */
  static void checkSame(String id, Path target, boolean readOnly) throws IOException {
    MountInfo there = NodeMounts.find(target).orElse(null);
    if (there != null && there.options().contains("ro") != readOnly) {
      throw Failures.exists("volume " + id + " is published at " + target + " in another way");
    }
  }

  /** One of the modes that this driver serves lets a volume be at several targets. */
  static void checkAlone(String id, Path content, Mode mode, Path staging, Path target)
      throws IOException {
    if (mode == Mode.SINGLE_NODE_MULTI_WRITER || NodeMounts.isMounted(target)) {
      return;
    }
    Optional<Path> other = findElsewhere(content, staging, target);
    if (other.isPresent()) {
      throw Failures.precondition(
          "volume %s has access mode %s and is published at %s".formatted(id, mode, other.get()));
    }
  }

  /** Where the content is mounted other than at these two places. */
  private static Optional<Path> findElsewhere(Path content, Path staging, Path target)
      throws IOException {
    List<String> devices = LoopDevices.all(content).stream().map(Path::toString).toList();
    String folder = content.subpath(content.getNameCount() - 3, content.getNameCount()).toString();
    return MountInfo.read().stream()
        .filter(mount -> !mount.mountPoint().equals(staging))
        .filter(mount -> !mount.mountPoint().equals(target))
        .filter(
            mount ->
                devices.contains(mount.source())
                    || devices.contains("/dev" + mount.root())
                    || mount.root().endsWith(folder))
        .map(MountInfo::mountPoint)
        .findFirst();
  }
}
