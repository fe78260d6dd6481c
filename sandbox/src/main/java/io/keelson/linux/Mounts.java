package io.keelson.linux;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * mount(2) and umount2(2) in the calling thread's mount namespace. Bind mounts, tmpfs, overlay and
 * {@link #detach} never wait; what may (a network file system, {@link #unmount} without MNT_DETACH)
 * is for the caller to run on {@link KernelThreads}. Paths are followed through symbolic links by
 * mount, never by unmount: a path that a container can shape goes through {@link RootDirectory}
 * first.
 */
public final class Mounts {

  public static final long MS_RDONLY = 1;
  public static final long MS_NOSUID = 1 << 1;
  public static final long MS_NODEV = 1 << 2;
  public static final long MS_NOEXEC = 1 << 3;
  public static final long MS_SYNCHRONOUS = 1 << 4;
  public static final long MS_REMOUNT = 1 << 5;
  public static final long MS_NOATIME = 1 << 10;
  public static final long MS_NODIRATIME = 1 << 11;
  public static final long MS_BIND = 1 << 12;
  public static final long MS_MOVE = 1 << 13;
  public static final long MS_REC = 1 << 14;
  public static final long MS_PRIVATE = 1 << 18;
  public static final long MS_SLAVE = 1 << 19;
  public static final long MS_SHARED = 1 << 20;
  public static final long MS_RELATIME = 1 << 21;
  public static final long MS_STRICTATIME = 1 << 24;

  public static final int MNT_FORCE = 1;
  public static final int MNT_DETACH = 2;
  public static final int MNT_EXPIRE = 4;
  public static final int UMOUNT_NOFOLLOW = 8;

  private static final int AT_SYMLINK_NOFOLLOW = 0x100;
  private static final int AT_NO_AUTOMOUNT = 0x800;
  private static final long STATX_ATTR_MOUNT_ROOT = 0x2000;

  private Mounts() {}

  /** mount(2) as it stands. */
  public static void mount(
      @Nullable String source,
      Path target,
      @Nullable String type,
      long flags,
      @Nullable String data)
      throws ErrnoException {
    int result =
        LibC.mount(
            stringOrNull(source),
            LibC.string(target.toString()),
            stringOrNull(type),
            flags,
            stringOrNull(data));
    if (result < 0) {
      throw LibC.failure(
          "mount(%s, \"%s\", %s, 0x%x, %s)"
              .formatted(quoted(source), target, quoted(type), flags, quoted(data)));
    }
  }

  /** Binds a file or a folder, without the mounts below it. */
  public static void bind(Path source, Path target) throws ErrnoException {
    bind(source, target, false);
  }

  /** Binds a file or a folder, with the mounts below it if {@code recursive}. */
  public static void bind(Path source, Path target, boolean recursive) throws ErrnoException {
    mount(source.toString(), target, null, MS_BIND | (recursive ? MS_REC : 0), null);
  }

  /** Changes the flags of a mount, and of this mount only: {@code MS_REMOUNT | MS_BIND}. */
  public static void remount(Path target, long flags) throws ErrnoException {
    mount(null, target, null, MS_REMOUNT | MS_BIND | flags, null);
  }

  public static void makeShared(Path target, boolean recursive) throws ErrnoException {
    propagation(target, MS_SHARED, recursive);
  }

  public static void makePrivate(Path target, boolean recursive) throws ErrnoException {
    propagation(target, MS_PRIVATE, recursive);
  }

  public static void makeSlave(Path target, boolean recursive) throws ErrnoException {
    propagation(target, MS_SLAVE, recursive);
  }

  /**
   * umount2(2).
   *
   * @param flags 0, MNT_FORCE, MNT_DETACH, MNT_EXPIRE; UMOUNT_NOFOLLOW is always added
   */
  public static void unmount(Path target, int flags) throws ErrnoException {
    if (LibC.umount2(LibC.string(target.toString()), flags | UMOUNT_NOFOLLOW) < 0) {
      throw LibC.failure("umount2(\"%s\", 0x%x)".formatted(target, flags | UMOUNT_NOFOLLOW));
    }
  }

  /**
   * Takes the topmost mount off the tree at once; the file system goes when its last user has gone.
   *
   * @return false if there was no mount or no such path
   */
  public static boolean detach(Path target) throws ErrnoException {
    try {
      unmount(target, MNT_DETACH);
      return true;
    } catch (ErrnoException e) {
      if (e.is(Errno.EINVAL) || e.is(Errno.ENOENT) || e.is(Errno.ENOTDIR)) {
        return false;
      }
      throw e;
    }
  }

  /** True if the path itself is the root of a mount; false if it does not exist. */
  public static boolean isMountPoint(Path path) throws ErrnoException {
    try (Memory result = new Memory(256)) {
      int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
      if (LibC.statx(LibC.AT_FDCWD, LibC.string(path.toString()), flags, 0, result) < 0) {
        int errno = Native.getLastError();
        if (errno == Errno.ENOENT || errno == Errno.ENOTDIR) {
          return false;
        }
        throw new ErrnoException("statx(\"" + path + "\")", errno);
      }
      return (result.getLong(8) & STATX_ATTR_MOUNT_ROOT) != 0;
    }
  }

  private static void propagation(Path target, long flag, boolean recursive) throws ErrnoException {
    mount(null, target, null, flag | (recursive ? MS_REC : 0), null);
  }

  private static byte @Nullable [] stringOrNull(@Nullable String text) {
    return text == null ? null : LibC.string(text);
  }

  private static String quoted(@Nullable String text) {
    return text == null ? "null" : "\"" + text + "\"";
  }
}
