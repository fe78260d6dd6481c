package io.keelson.linux;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.nio.file.Path;

/**
 * Project quotas of ext4 and xfs: a limit on what a folder and all below it may hold
 * (quotactl_fd(2), ioctl_xfs_fsgetxattr(2)). Whoever goes beyond gets EDQUOT (xfs: ENOSPC).
 */
public final class ProjectQuota {

  private static final long SYS_QUOTACTL_FD = 443;
  private static final int PROJECT = 2;
  private static final int Q_GETQUOTA = 0x800007 << 8 | PROJECT;
  private static final int Q_SETQUOTA = 0x800008 << 8 | PROJECT;
  private static final int QIF_BLIMITS = 1;

  /** struct if_dqblk: eight numbers of 64 bits, then what is valid of them. */
  private static final int DQBLK_SIZE = 72;

  private static final int HARD_LIMIT = 0;
  private static final int SPACE = 16;
  private static final int VALID = 64;

  /** What the limits are counted in. */
  private static final long LIMIT_BLOCK = 1024;

  private static final long FS_IOC_FSGETXATTR = 0x801c581fL;
  private static final long FS_IOC_FSSETXATTR = 0x401c5820L;
  private static final int FSXATTR_SIZE = 28;
  private static final int XFLAGS = 0;
  private static final int PROJECT_ID = 12;
  private static final int INHERIT = 0x200;

  private ProjectQuota() {}

  /**
   * What a project holds and may hold.
   *
   * @param limitBytes 0 for no limit
   */
  public record Usage(long usedBytes, long limitBytes) {}

  /** True if the file system of a folder keeps project quotas, and has been mounted so. */
  public static boolean isAvailable(Path folder) throws ErrnoException {
    try {
      usage(folder, 0);
      return true;
    } catch (ErrnoException e) {
      return false;
    }
  }

  public static Usage usage(Path folder, int project) throws ErrnoException {
    try (Memory block = new Memory(DQBLK_SIZE)) {
      block.clear();
      control(folder, Q_GETQUOTA, project, block);
      return new Usage(block.getLong(SPACE), block.getLong(HARD_LIMIT) * LIMIT_BLOCK);
    }
  }

  /**
   * Sets the limit of a project.
   *
   * @param folder any on the file system
   * @param bytes 0 for no limit
   */
  public static void limit(Path folder, int project, long bytes) throws ErrnoException {
    try (Memory block = new Memory(DQBLK_SIZE)) {
      block.clear();
      block.setLong(HARD_LIMIT, (bytes + LIMIT_BLOCK - 1) / LIMIT_BLOCK);
      block.setInt(VALID, QIF_BLIMITS);
      control(folder, Q_SETQUOTA, project, block);
    }
  }

  /** The folder, and whatever is made in it from now on, belongs to a project. */
  public static void assign(Path folder, int project) throws ErrnoException {
    try (Fd fd = Fd.open(folder, Fd.O_RDONLY | Fd.O_DIRECTORY, 0);
        Memory attributes = new Memory(FSXATTR_SIZE)) {
      attributes(fd, folder, FS_IOC_FSGETXATTR, attributes);
      attributes.setInt(XFLAGS, attributes.getInt(XFLAGS) | INHERIT);
      attributes.setInt(PROJECT_ID, project);
      attributes(fd, folder, FS_IOC_FSSETXATTR, attributes);
    }
  }

  /** 0 if it belongs to none. */
  public static int projectOf(Path folder) throws ErrnoException {
    try (Fd fd = Fd.open(folder, Fd.O_RDONLY | Fd.O_DIRECTORY, 0);
        Memory attributes = new Memory(FSXATTR_SIZE)) {
      attributes(fd, folder, FS_IOC_FSGETXATTR, attributes);
      return attributes.getInt(PROJECT_ID);
    }
  }

  private static void attributes(Fd fd, Path folder, long request, Pointer attributes)
      throws ErrnoException {
    if (LibC.ioctl(fd.number(), request, attributes) < 0) {
      throw LibC.failure("ioctl(\"" + folder + "\", 0x" + Long.toHexString(request) + ")");
    }
  }

  private static void control(Path folder, int command, int project, Memory block)
      throws ErrnoException {
    try (Fd fd = Fd.open(folder, Fd.O_RDONLY | Fd.O_DIRECTORY, 0)) {
      long result =
          LibC.syscall(
              SYS_QUOTACTL_FD, fd.number(), command, project, Pointer.nativeValue(block), 0);
      if (result < 0) {
        throw LibC.failure(
            "quotactl_fd(\"%s\", 0x%x, project %d)".formatted(folder, command, project));
      }
    }
  }
}
