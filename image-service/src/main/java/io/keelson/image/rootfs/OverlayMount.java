package io.keelson.image.rootfs;

import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.Mounts;
import io.keelson.linux.tree.Folder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Mounts overlay file systems (kernel documentation, overlayfs). Safe for use by many threads. */
final class OverlayMount {

  /** mount(2) takes one page of options with its zero. */
  private static final int MAX_OPTIONS = 4095;

  /** Kernels before 5.10 have no volatile; found out once. */
  private volatile boolean volatileKnown = true;

  /**
   * @param lower what shows through, the topmost first; never empty
   * @param upper takes the changes
   * @param work for the kernel; on the file system of {@code upper}
   * @param label the SELinux label of all files; {@code ""} for their own
   */
  void mount(List<Path> lower, Path upper, Path work, Path target, String label)
      throws IOException {
    String context = context(label);
    int reserved = upper.toString().length() + work.toString().length() + context.length();
    withLower(lower, reserved, below -> mount(below, upper, work, target, context));
  }

  /**
   * Mounts what nobody writes to.
   *
   * @param lower at least two, as the kernel wants where there is nothing above them
   * @param flags of mount(2), besides that for read-only
   * @param label the SELinux label of all files; {@code ""} for their own
   */
  void mountReadOnly(List<Path> lower, Path target, long flags, String label) throws IOException {
    String context = context(label);
    withLower(
        lower,
        context.length(),
        below -> {
          try {
            String options = "lowerdir=" + below + context;
            if (options.length() > MAX_OPTIONS) {
              throw tooMany(target);
            }
            Mounts.mount("overlay", target, "overlay", flags | Mounts.MS_RDONLY, options);
          } catch (ErrnoException e) {
            throw explained(e, target);
          }
        });
  }

  /** In quotes, because a label has commas. */
  private static String context(String label) {
    return label.isEmpty() ? "" : ",context=\"" + label + "\"";
  }

  private interface Work {
    void run(String below) throws IOException;
  }

  private static void withLower(List<Path> lower, int reserved, Work work) throws IOException {
    List<Folder> opened = new ArrayList<>();
    try {
      String below = joined(lower.stream().map(Path::toString).toList());
      if (below.length() + reserved > 3900) {
        // Descriptors are the shortest of paths: 200 layers go into the page.
        for (Path path : lower) {
          opened.add(Folder.open(path));
        }
        below = joined(opened.stream().map(folder -> "/proc/self/fd/" + folder.number()).toList());
      }
      work.run(below);
    } finally {
      opened.forEach(Folder::close);
    }
  }

  private static IOException tooMany(Path target) {
    return new IOException("too many layers for one mount of overlay on " + target);
  }

  private void mount(String below, Path upper, Path work, Path target, String context)
      throws IOException {
    String options =
        "lowerdir=%s,upperdir=%s,workdir=%s,index=off%s"
            .formatted(below, escaped(upper.toString()), escaped(work.toString()), context);
    if (options.length() + ",volatile".length() > MAX_OPTIONS) {
      throw tooMany(target);
    }
    if (volatileKnown) {
      try {
        // What a container writes need not survive a crash of the machine: no sync when it goes.
        Mounts.mount("overlay", target, "overlay", 0, options + ",volatile");
        return;
      } catch (ErrnoException e) {
        if (!e.is(Errno.EINVAL)) {
          throw explained(e, upper);
        }
      }
    }
    try {
      Mounts.mount("overlay", target, "overlay", 0, options);
      volatileKnown = false;
    } catch (ErrnoException e) {
      throw explained(e, upper);
    }
  }

  private static IOException explained(ErrnoException e, Path upper) {
    return switch (e.errno()) {
      case Errno.ENODEV -> new IOException("this kernel has no overlayfs (modprobe overlay)", e);
      case Errno.EINVAL ->
          new IOException(
              "overlayfs can't be used on the file system of %s (%s; the kernel's log says why)"
                  .formatted(upper, e.getMessage()),
              e);
      default -> e;
    };
  }

  private static String joined(List<String> paths) {
    return paths.stream().map(OverlayMount::escaped).collect(Collectors.joining(":"));
  }

  private static String escaped(String path) {
    return path.replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,");
  }
}
