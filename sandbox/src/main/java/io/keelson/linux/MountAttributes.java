package io.keelson.linux;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.nio.file.Path;

/**
 * What mount(2) can't: attributes of a whole tree of mounts, and mounts with other owners
 * (mount_setattr(2), from kernel 5.12 on; ENOSYS before).
 */
public final class MountAttributes {

  private static final long MOUNT_ATTR_RDONLY = 0x1;
  private static final long MOUNT_ATTR_IDMAP = 0x100000;
  private static final int MOUNT_ATTR_SIZE = 32;

  private MountAttributes() {}

  /** Makes a mount and all mounts below it read-only, or none of them if one can't be. */
  public static void makeReadOnly(Path target) throws ErrnoException {
    setAttributes(
        LibC.AT_FDCWD,
        target.toString(),
        LibC.AT_RECURSIVE,
        MOUNT_ATTR_RDONLY,
        0,
        "mount_setattr(\"%s\", AT_RECURSIVE, MOUNT_ATTR_RDONLY)".formatted(target));
  }

  /**
   * Binds a file or folder, with the mounts below it, so that its files appear with the owners that
   * a user namespace maps theirs to. Mounts below it whose file systems can't do that keep theirs.
   *
   * @param userNamespace its file in {@code /proc/PID/ns} or a pin; it must not be the initial one
   * @throws ErrnoException with EINVAL if the file system can't do that
   */
  public static void bindIdMapped(Path source, Path target, Path userNamespace)
      throws ErrnoException {
    try (Fd namespace = Fd.open(userNamespace, Fd.O_RDONLY, 0);
        MountClone tree = MountClone.of(source, true)) {
      try {
        map(tree, source, namespace, true, 0);
      } catch (ErrnoException e) {
        map(tree, source, namespace, false, 0);
      }
      tree.attach(target);
    }
  }

  /**
   * As {@link #bindIdMapped}, read-only and without the mounts below: for a layer of an overlay.
   */
  public static void bindLayer(Path source, Path target, Path userNamespace) throws ErrnoException {
    try (Fd namespace = Fd.open(userNamespace, Fd.O_RDONLY, 0);
        MountClone tree = MountClone.of(source, false)) {
      map(tree, source, namespace, false, MOUNT_ATTR_RDONLY);
      tree.attach(target);
    }
  }

  private static void map(
      MountClone tree, Path source, Fd namespace, boolean recursive, long moreAttributes)
      throws ErrnoException {
    setAttributes(
        tree.number(),
        "",
        LibC.AT_EMPTY_PATH | (recursive ? LibC.AT_RECURSIVE : 0),
        MOUNT_ATTR_IDMAP | moreAttributes,
        namespace.number(),
        "mount_setattr(clone of \"%s\", MOUNT_ATTR_IDMAP)".formatted(source));
  }

  private static void setAttributes(
      int directory, String path, long flags, long set, long userNamespace, String call)
      throws ErrnoException {
    try (Memory text = LibC.memory(path);
        Memory attributes = new Memory(MOUNT_ATTR_SIZE)) {
      attributes.clear();
      attributes.setLong(0, set);
      attributes.setLong(24, userNamespace);
      long result =
          LibC.syscall(
              LibC.SYS_MOUNT_SETATTR,
              directory,
              Pointer.nativeValue(text),
              flags,
              Pointer.nativeValue(attributes),
              MOUNT_ATTR_SIZE);
      if (result < 0) {
        throw LibC.failure(call);
      }
    }
  }
}
