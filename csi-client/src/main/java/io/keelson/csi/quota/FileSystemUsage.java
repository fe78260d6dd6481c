package io.keelson.csi.quota;

import io.keelson.linux.FileSystemSpace;
import io.keelson.proto.csi.v1.VolumeUsage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** How full the file system of a volume is, in the words of CSI. */
public final class FileSystemUsage {

  private FileSystemUsage() {}

  /** Bytes and inodes; waits as long as the file system does. */
  public static List<VolumeUsage> of(Path path) throws IOException {
    FileSystemSpace space = FileSystemSpace.of(path);
    return List.of(
        VolumeUsage.newBuilder()
            .setUnit(VolumeUsage.Unit.BYTES)
            .setTotal(space.bytes())
            .setUsed(space.bytes() - space.free())
            .setAvailable(space.available())
            .build(),
        VolumeUsage.newBuilder()
            .setUnit(VolumeUsage.Unit.INODES)
            .setTotal(space.inodes())
            .setUsed(space.inodes() - space.freeInodes())
            .setAvailable(space.freeInodes())
            .build());
  }
}
