package io.keelson.sandbox.isolator;

import io.keelson.linux.DeviceNumber;
import io.keelson.sandbox.spec.SpecDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Reads device nodes of the host. */
public final class DeviceNodes {

  private static final int S_IFMT = 0170000;
  private static final int S_IFCHR = 0020000;
  private static final int S_IFBLK = 0060000;
  private static final int PERMISSIONS = 07777;

  /** Folders of /dev that hold no devices of the host but file systems of their own. */
  private static final Set<String> SKIPPED_FOLDERS =
      Set.of("pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev");

  /** Nodes that the OCI runtime makes for each container from its own pseudo terminals. */
  private static final Set<String> SKIPPED_NODES = Set.of("console", "ptmx");

  private DeviceNodes() {}

  /** The node itself; empty if it is there but no block or character device. */
  public static Optional<SpecDevice> node(Path path, String containerPath) throws IOException {
    Map<String, Object> attributes =
        Files.readAttributes(path, "unix:mode,rdev,uid,gid", LinkOption.NOFOLLOW_LINKS);
    int mode = (Integer) attribute(attributes, "mode");
    SpecDevice.Kind kind;
    switch (mode & S_IFMT) {
      case S_IFCHR -> kind = SpecDevice.Kind.CHARACTER;
      case S_IFBLK -> kind = SpecDevice.Kind.BLOCK;
      default -> {
        return Optional.empty();
      }
    }
    DeviceNumber number = DeviceNumber.of((Long) attribute(attributes, "rdev"));
    return Optional.of(
        new SpecDevice(
            containerPath,
            kind,
            number.major(),
            number.minor(),
            mode & PERMISSIONS,
            // The view has ids as Integer: those from 2^31 on as negative ones.
            Integer.toUnsignedLong((Integer) attribute(attributes, "uid")),
            Integer.toUnsignedLong((Integer) attribute(attributes, "gid"))));
  }

  /** All nodes below a folder, at the same places below {@code containerPath}. */
  public static List<SpecDevice> below(Path folder, String containerPath) throws IOException {
    List<SpecDevice> found = new ArrayList<>();
    List<Path> entries;
    try (Stream<Path> listed = Files.list(folder)) {
      entries = listed.sorted().toList();
    }
    for (Path entry : entries) {
      String name = entry.getFileName().toString();
      String inContainer = containerPath + '/' + name;
      try {
        if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
          if (!SKIPPED_FOLDERS.contains(name)) {
            found.addAll(below(entry, inContainer));
          }
        } else if (!SKIPPED_NODES.contains(name)) {
          node(entry, inContainer).ifPresent(found::add);
        }
      } catch (NoSuchFileException gone) {
        // Devices come and go while we look.
      }
    }
    return found;
  }

  private static Object attribute(Map<String, Object> attributes, String name) throws IOException {
    Object value = attributes.get(name);
    if (value == null) {
      throw new IOException("the file system gives no attribute " + name);
    }
    return value;
  }
}
