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
  private static final int Q_XGETQSTAT = 0x5805 << 8 | PROJECT;
  private static final int QIF_BLIMITS = 1;

  /** struct if_dqblk: eight numbers of 64 bits, then what is valid of them. */
  private static final int DQBLK_SIZE = 72;

  private static final int HARD_LIMIT = 0;
  private static final int SPACE = 16;
  private static final int INODES = 40;
  private static final int VALID = 64;

  /** struct fs_quota_stat: a version, then flags; the rest is of no interest here. */
  private static final int QUOTA_STAT_SIZE = 128;

  private static final int QUOTA_FLAGS = 2;
  private static final int PROJECT_LIMITS_ENFORCED = 1 << 5;

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
   * @param usedInodes of all types
   * @param limitBytes 0 for no limit
   */
  public record Usage(long usedBytes, long usedInodes, long limitBytes) {}

  /**
   * True if the file system of a folder holds projects to their limits, as it has been mounted with
   * {@code prjquota}; where it only counts, or knows no projects, it is false.
   */
  public static boolean isEnforced(Path folder) {
    try (Memory state = new Memory(QUOTA_STAT_SIZE)) {
      state.clear();
      control(folder, Q_XGETQSTAT, 0, state);
      return (state.getShort(QUOTA_FLAGS) & PROJECT_LIMITS_ENFORCED) != 0;
    } catch (ErrnoException e) {
      return false;
    }
  }

  /** All zero if the file system has never heard of the project. */
  public static Usage usage(Path folder, int project) throws ErrnoException {
    try (Memory block = new Memory(DQBLK_SIZE)) {
      block.clear();
      control(folder, Q_GETQUOTA, project, block);
      return new Usage(
          block.getLong(SPACE), block.getLong(INODES), block.getLong(HARD_LIMIT) * LIMIT_BLOCK);
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) { // so xfs
        return new Usage(0, 0, 0);
      }
      throw e;
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

  /** An open folder, and whatever is made in it from now on, belongs to a project. */
  public static void assignFolder(int fd, int project) throws ErrnoException {
    assign(fd, project, INHERIT);
  }

  /** An open file belongs to a project. */
  public static void assignFile(int fd, int project) throws ErrnoException {
    assign(fd, project, 0);
  }

  private static void assign(int fd, int project, int flags) throws ErrnoException {
    try (Memory attributes = new Memory(FSXATTR_SIZE)) {
      attributes(fd, FS_IOC_FSGETXATTR, attributes);
      attributes.setInt(XFLAGS, attributes.getInt(XFLAGS) | flags);
      attributes.setInt(PROJECT_ID, project);
      attributes(fd, FS_IOC_FSSETXATTR, attributes);
    }
  }

  /** 0 if it belongs to none. */
  public static int projectOf(Path folder) throws ErrnoException {
    try (Fd fd = Fd.open(folder, Fd.O_RDONLY | Fd.O_DIRECTORY, 0);
        Memory attributes = new Memory(FSXATTR_SIZE)) {
      attributes(fd.number(), FS_IOC_FSGETXATTR, attributes);
      return attributes.getInt(PROJECT_ID);
    }
  }

  private static void attributes(int fd, long request, Pointer attributes) throws ErrnoException {
    if (LibC.ioctl(fd, request, attributes) < 0) {
      throw LibC.failure("ioctl(" + fd + ", 0x" + Long.toHexString(request) + ")");
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
