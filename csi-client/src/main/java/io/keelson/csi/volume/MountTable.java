package io.keelson.csi.volume;

import io.keelson.linux.MountInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What is mounted, at the moment it was read. It never touches the file systems themselves, whose
 * servers may be gone.
 */
public final class MountTable {

  private static final int S_IFMT = 0xf000;
  private static final int S_IFBLK = 0x6000;

  private final List<MountInfo> mounts;

  private MountTable(List<MountInfo> mounts) {
    this.mounts = mounts;
  }

  public static MountTable read() throws IOException {
    return new MountTable(MountInfo.read());
  }

  /** Something is mounted at this very path. */
  public boolean isMounted(Path path) {
    return mounts.stream().anyMatch(mount -> mount.mountPoint().equals(path));
  }

  /** Nobody can write through the mount at this very path, the newest one. */
  public boolean isReadOnly(Path path) {
    return mounts.reversed().stream()
        .filter(mount -> mount.mountPoint().equals(path))
        .findFirst()
        .filter(mount -> mount.options().contains("ro"))
        .isPresent();
  }

  /** Mount points below a folder, the deepest and newest first. */
  List<Path> below(Path folder) {
    return mounts.reversed().stream()
        .map(MountInfo::mountPoint)
        .filter(point -> point.startsWith(folder) && !point.equals(folder))
        .sorted((a, b) -> b.getNameCount() - a.getNameCount())
        .toList();
  }

  /** A device at this path: mounted over a file, or a node or a link of the driver's. */
  public boolean isDevice(Path path) throws IOException {
    if (isMounted(path)) {
      return true;
    }
    if (!Files.exists(path)) {
      return false;
    }
    Map<String, Object> attributes = Files.readAttributes(path, "unix:mode");
    return attributes.get("mode") instanceof Integer mode && (mode & S_IFMT) == S_IFBLK;
  }
}
