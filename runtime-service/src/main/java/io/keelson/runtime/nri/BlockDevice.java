package io.keelson.runtime.nri;

import io.keelson.sandbox.isolator.DeviceNodes;
import io.keelson.sandbox.spec.SpecDevice;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * A disk as a whole, by the number of its device.
 *
 * @param major of the driver
 * @param minor of the disk
 */
record BlockDevice(long major, long minor) implements Comparable<BlockDevice> {

  private static final Path NUMBERS = Path.of("/sys/dev/block");
  private static final Comparator<BlockDevice> ORDER =
      Comparator.comparingLong(BlockDevice::major).thenComparingLong(BlockDevice::minor);

  /**
   * The disks whose nodes, or links to them, match a glob such as {@code /dev/sd[a-z]}. What else
   * matches is passed over, partitions too: the kernel limits whole disks alone.
   *
   * @throws IllegalArgumentException if it is no absolute glob
   */
  static List<BlockDevice> find(String glob) throws IOException {
    if (!glob.startsWith("/")) {
      throw new IllegalArgumentException("it is no absolute path");
    }
    List<Path> found = List.of(Path.of("/"));
    for (Path element : Path.of(glob)) {
      List<Path> next = new ArrayList<>();
      for (Path folder : found) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, element.toString())) {
          files.forEach(next::add);
        } catch (NotDirectoryException | NoSuchFileException _) {
          // a file that matches in the middle of the path, or a folder that has gone
        }
      }
      found = next;
    }
    List<BlockDevice> devices = new ArrayList<>();
    for (Path node : found) {
      of(node).ifPresent(devices::add);
    }
    return devices;
  }

  private static Optional<BlockDevice> of(Path node) throws IOException {
    try {
      return DeviceNodes.node(node.toRealPath(), node.toString())
          .filter(device -> device.kind() == SpecDevice.Kind.BLOCK)
          .map(device -> new BlockDevice(device.major(), device.minor()))
          .filter(device -> !device.isPartition());
    } catch (NoSuchFileException _) {
      return Optional.empty(); // a link to nowhere
    }
  }

  private boolean isPartition() {
    return Files.exists(NUMBERS.resolve(major + ":" + minor).resolve("partition"));
  }

  @Override
  public int compareTo(BlockDevice other) {
    return ORDER.compare(this, other);
  }
}
