package io.keelson.image.rootfs;

import io.keelson.linux.Mounts;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The folder of one container's root file system, or of one volume that shows an image.
 *
 * @param path {@code rootfs/CONTAINERID}, or {@code rootfs/CONTAINERID/volumes/NUMBER}
 */
record RootFolder(Path path) {

  /** What the container has changed. */
  Path upper() {
    return path.resolve("upper");
  }

  /** The kernel's. */
  Path work() {
    return path.resolve("work");
  }

  /** Where the root is mounted. */
  Path merged() {
    return path.resolve("merged");
  }

  /** Stands in for the layers of an image that has none. */
  Path empty() {
    return path.resolve("empty");
  }

  /** The layers as a user namespace owns them, while an overlay of them is made. */
  Path layers() {
    return path.resolve("layers");
  }

  /** Where the layers are mounted while a root is made of them in another way than by overlay. */
  RootFolder source() {
    return new RootFolder(path.resolve("source"));
  }

  /** The id of the image that the root is made from. */
  Path image() {
    return path.resolve("image");
  }

  /** The volumes that show images, a folder for each, named by numbers. */
  Path volumes() {
    return path.resolve("volumes");
  }

  String containerId() {
    return path.getFileName().toString();
  }

  /** The container's volumes, none for most. */
  List<RootFolder> eachVolume() throws IOException {
    List<RootFolder> volumes = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(volumes())) {
      entries.forEach(entry -> volumes.add(new RootFolder(entry)));
    } catch (NoSuchFileException e) {
      return List.of();
    }
    return volumes;
  }

  /** Unmounts all: nothing may be deleted through a mount that is still there. */
  void detach() throws IOException {
    for (RootFolder volume : eachVolume()) {
      MappedLayers.remove(volume.layers());
      volume.detachMerged();
    }
    MappedLayers.remove(layers());
    source().detachMerged();
    detachMerged();
  }

  private void detachMerged() throws IOException {
    while (Mounts.detach(merged())) {
      // Mounts may lie on each other after an unlucky restart.
    }
    if (Mounts.isMountPoint(merged())) {
      throw new IOException(merged() + " stays mounted");
    }
  }

  /** The folder that holds what the container has written. */
  Path written() {
    // A root that was copied has no folder for changes: all of it is the container's.
    return Files.isDirectory(upper()) ? upper() : merged();
  }
}
