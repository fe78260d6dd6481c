package io.keelson.csi.local;

import io.keelson.linux.LoopDevices;
import io.keelson.linux.MountInfo;
import io.keelson.proto.record.v1.LocalVolumeRecord;
import io.keelson.sandbox.FileTrees;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Makes, copies and grows the content of volumes and snapshots. */
final class Contents {

  private static final int FOLDER_MODE = 0777;

  private final Programs programs;

  Contents(Programs programs) {
    this.programs = programs;
  }

  void makeEmpty(LocalVolumeRecord.Layout layout, Path content, long bytes) throws IOException {
    delete(content);
    if (layout == LocalVolumeRecord.Layout.LAYOUT_FOLDER) {
      Files.createDirectory(content);
      Files.setAttribute(content, "unix:mode", FOLDER_MODE);
    } else {
      setSize(content, bytes);
    }
  }

  /** Files that take disk as they are written to. */
  private static void setSize(Path image, long bytes) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(bytes);
      file.getFD().sync();
    }
  }

  /**
   * Copies content as it is at one moment: by reflink where the file system has it. A file system
   * that is in use is frozen meanwhile.
   */
  void copy(LocalVolumeRecord.Layout layout, Path from, Path to) throws IOException {
    delete(to);
    if (layout == LocalVolumeRecord.Layout.LAYOUT_FOLDER) {
      programs.run("cp", "-a", "--reflink=auto", "--sparse=always", from.toString(), to.toString());
      return;
    }
    Optional<Path> frozen = freeze(from);
    try {
      programs.run("cp", "--reflink=auto", "--sparse=always", from.toString(), to.toString());
    } finally {
      if (frozen.isPresent()) {
        programs.run("fsfreeze", "--unfreeze", frozen.get().toString());
      }
    }
  }

  private Optional<Path> freeze(Path image) throws IOException {
    List<String> devices = LoopDevices.all(image).stream().map(Path::toString).toList();
    Optional<Path> mounted =
        MountInfo.read().stream()
            .filter(mount -> devices.contains(mount.source()) && !mount.type().equals("devtmpfs"))
            .filter(mount -> mount.superOptions().contains("rw"))
            .map(MountInfo::mountPoint)
            .findFirst();
    if (mounted.isPresent()) {
      programs.run("fsfreeze", "--freeze", mounted.get().toString());
    } else if (!devices.isEmpty()) {
      programs.run("sync", image.toString());
    }
    return mounted;
  }

  /** Makes an image larger, and with it its devices; the file system in it grows at the node. */
  void grow(Path image, long bytes) throws IOException {
    setSize(image, bytes);
    for (Path device : LoopDevices.all(image)) {
      LoopDevices.resize(device);
    }
  }

  void delete(Path content) throws IOException {
    FileTrees.delete(content);
  }
}
