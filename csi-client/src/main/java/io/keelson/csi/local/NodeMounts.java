package io.keelson.csi.local;

import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.KernelThreads;
import io.keelson.linux.LoopDevices;
import io.keelson.linux.MountInfo;
import io.keelson.linux.Mounts;
import io.keelson.proto.csi.v1.VolumeCapability.MountVolume;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Mounts and devices of the local driver. Everything may be done twice. */
final class NodeMounts {

  private static final String DEFAULT_FILE_SYSTEM = "ext4";
  private static final Pattern FILE_SYSTEM = Pattern.compile("[a-z0-9]{2,16}");
  private static final int THREADS = 16;

  private final Programs programs;
  private final KernelThreads threads = new KernelThreads(THREADS);

  NodeMounts(Programs programs) {
    this.programs = programs;
  }

  static boolean isMounted(Path path) throws IOException {
    return find(path).isPresent();
  }

  /** The topmost mount at a path. */
  static Optional<MountInfo> find(Path path) throws IOException {
    return MountInfo.read().reversed().stream()
        .filter(mount -> mount.mountPoint().equals(path))
        .findFirst();
  }

  /** Mounts the file system of an image, which is made first if there is none. */
  void mountImage(Path image, Path target, MountVolume how) throws IOException {
    String type = how.getFsType().isEmpty() ? DEFAULT_FILE_SYSTEM : how.getFsType();
    if (!FILE_SYSTEM.matcher(type).matches()) {
      throw Failures.invalid("\"" + type + "\" is no type of a file system");
    }
    Path device = LoopDevices.attach(image, false);
    String found =
        programs
            .tryRun("blkid", "-p", "-s", "TYPE", "-o", "value", device.toString())
            .stdoutText()
            .strip();
    if (found.isEmpty()) {
      format(device, type);
    } else if (!how.getFsType().isEmpty() && !found.equals(type)) {
      throw Failures.precondition(
          "the volume holds a file system of type " + found + ", not " + type);
    } else {
      type = found;
    }
    // An image may have grown while nobody used it.
    boolean ext = type.startsWith("ext");
    if (ext && !isMounted(target) && ExtFileSystem.isSmallerThanItsDevice(device, image)) {
      programs.run("e2fsck", "-f", "-p", device.toString());
      programs.run("resize2fs", device.toString());
    }
    mount(device, target, type, how.getMountFlagsList());
    if (!ext) {
      growFileSystem(device, target, type);
    }
  }

  private void format(Path device, String type) throws IOException {
    String program = "mkfs." + type;
    if (type.startsWith("ext")) {
      programs.run(program, "-q", "-F", "-m", "0", device.toString());
    } else {
      programs.run(program, device.toString());
    }
  }

  private void mount(Path device, Path target, String type, List<String> flags) throws IOException {
    if (isMounted(target)) {
      return;
    }
    Files.createDirectories(target);
    if (flags.isEmpty()) {
      threads.run(() -> Mounts.mount(device.toString(), target, type, 0, null));
    } else {
      programs.run(
          "mount", "-t", type, "-o", String.join(",", flags), device.toString(), target.toString());
    }
  }

  /** Makes a file system as large as its device; it is in use meanwhile. */
  void growFileSystem(Path device, Path mounted, String type) throws IOException {
    if (type.startsWith("ext")) {
      programs.run("resize2fs", device.toString());
    } else if (type.equals("xfs")) {
      programs.run("xfs_growfs", mounted.toString());
    } else if (type.equals("btrfs")) {
      programs.run("btrfs", "filesystem", "resize", "max", mounted.toString());
    }
  }

  /** Binds a folder, or a device to a file. */
  void bind(Path source, Path target, boolean folder, boolean readOnly) throws IOException {
    if (isMounted(target)) {
      return;
    }
    if (folder) {
      Files.createDirectories(target);
    } else if (!Files.exists(target)) {
      Files.createFile(target);
    }
    threads.run(
        () -> {
          Mounts.bind(source, target);
          if (readOnly) {
            try {
              Mounts.remount(target, Mounts.MS_RDONLY);
            } catch (ErrnoException e) {
              Mounts.detach(target);
              throw e;
            }
          }
        });
  }

  /** Unmounts what is at a path, and takes the path away. Harmless if nothing is there. */
  void unmount(Path target) throws IOException {
    while (isMounted(target)) {
      threads.run(
          () -> {
            try {
              Mounts.unmount(target, 0);
            } catch (ErrnoException e) {
              if (!e.is(Errno.EINVAL)) {
                throw e;
              }
            }
          });
    }
  }

  static void detachLoops(Path image) throws IOException {
    for (Path device : LoopDevices.all(image)) {
      LoopDevices.detach(device);
    }
  }
}
