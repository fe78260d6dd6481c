package io.keelson.linux.tree;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.Fd;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * An open folder. {@code name} means one name in it, without a slash; {@code "."} is the folder
 * itself. Safe for use by many threads; closing it while another uses it is the caller's error.
 */
public final class Folder implements AutoCloseable {

  private static final long RESOLVE_NO_MAGICLINKS = 0x02;
  private static final long RESOLVE_NO_SYMLINKS = 0x04;
  private static final long RESOLVE_BENEATH = 0x08;
  private static final long RESOLVE_IN_ROOT = 0x10;
  private static final int OPEN_HOW_SIZE = 24;
  private static final int ATTEMPTS = 64;

  private final String label;
  private int fd;

  private Folder(int fd, String label) {
    this.fd = fd;
    this.label = label;
  }

  /** Opens a folder by its path on the host. */
  public static Folder open(Path path) throws ErrnoException {
    String raw =
        new String(path.toString().getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    return open(TreeCalls.AT_FDCWD, raw, 0, path.toString());
  }

  /** Opens a folder in this one; a symbolic link is an error (ELOOP or ENOTDIR). */
  public Folder openFolder(String name) throws ErrnoException {
    return open(fd, name, Fd.O_NOFOLLOW, label + "/" + name);
  }

  private static Folder open(int parent, String name, int flags, String label)
      throws ErrnoException {
    int all = Fd.O_RDONLY | Fd.O_DIRECTORY | TreeCalls.O_CLOEXEC | flags;
    int result = TreeCalls.openat(parent, TreeCalls.bytes(name), all, 0);
    if (result < 0) {
      throw TreeCalls.failure("openat(\"%s\", 0x%x)".formatted(label, all));
    }
    return new Folder(result, label);
  }

  /**
   * Opens a folder by a path below this one, with this one as the root: symbolic links are
   * followed, and neither they nor {@code ..} lead out (openat2(2), RESOLVE_IN_ROOT).
   */
  public Folder resolve(String path) throws ErrnoException {
    return openat2(path, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
  }

  /** Opens a folder by a path below this one in which nothing is a symbolic link or leads out. */
  public Folder descend(String path) throws ErrnoException {
    return openat2(path, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  }

  private Folder openat2(String path, long how) throws ErrnoException {
    int flags = Fd.O_RDONLY | Fd.O_DIRECTORY | TreeCalls.O_CLOEXEC;
    byte[] bytes = TreeCalls.bytes(path.isEmpty() ? "." : path);
    try (Memory openHow = new Memory(OPEN_HOW_SIZE)) {
      openHow.setLong(0, flags);
      openHow.setLong(8, 0);
      openHow.setLong(16, how);
      for (int attempt = 1; ; attempt++) {
        long result = TreeCalls.syscall(TreeCalls.SYS_OPENAT2, fd, bytes, openHow, OPEN_HOW_SIZE);
        if (result >= 0) {
          return new Folder((int) result, label + "/" + path);
        }
        int errno = Native.getLastError();
        if ((errno != Errno.EAGAIN && errno != Errno.EINTR) || attempt == ATTEMPTS) {
          throw new ErrnoException(
              "openat2(\"%s\", \"%s\", resolve 0x%x)".formatted(label, path, how), errno);
        }
      }
    }
  }

  /**
   * Makes a regular file that nobody but root may read yet; an error (EEXIST) if the name is taken.
   */
  public NewFile createFile(String name) throws ErrnoException {
    int flags = Fd.O_WRONLY | Fd.O_CREAT | Fd.O_EXCL | Fd.O_NOFOLLOW | TreeCalls.O_CLOEXEC;
    int result = TreeCalls.openat(fd, TreeCalls.bytes(name), flags, 0600);
    if (result < 0) {
      throw failure("openat", name, "O_CREAT | O_EXCL");
    }
    return new NewFile(result, label + "/" + name);
  }

  /**
   * Opens a file to be read; a symbolic link is an error (ELOOP), and a FIFO does not hold us up.
   */
  public InputStream openFile(String name) throws IOException {
    try (Fd file = openDescriptor(name)) {
      // The JDK can't be given a descriptor, and its paths can't have all names that files have.
      return new FileInputStream("/proc/self/fd/" + file.number());
    }
  }

  /** As {@link #openFile}, for what is more than reading. */
  public Fd openDescriptor(String name) throws ErrnoException {
    int flags = Fd.O_RDONLY | Fd.O_NOFOLLOW | Fd.O_NONBLOCK | TreeCalls.O_CLOEXEC;
    int result = TreeCalls.openat(fd, TreeCalls.bytes(name), flags, 0);
    if (result < 0) {
      throw failure("openat", name, "O_RDONLY");
    }
    return Fd.adopt(result);
  }

  /** Makes a folder; the process's umask applies. */
  public void createFolder(String name, int permissions) throws ErrnoException {
    check(
        TreeCalls.mkdirat(fd, TreeCalls.bytes(name), permissions),
        "mkdirat",
        name,
        Integer.toOctalString(permissions));
  }

  public void createSymbolicLink(String name, String target) throws ErrnoException {
    check(
        TreeCalls.symlinkat(TreeCalls.bytes(target), fd, TreeCalls.bytes(name)),
        "symlinkat",
        name,
        target);
  }

  /**
   * Gives the file {@code existing} in {@code from}, which may be a symbolic link, this name too.
   */
  public void createHardLink(String name, Folder from, String existing) throws ErrnoException {
    check(
        TreeCalls.linkat(from.fd, TreeCalls.bytes(existing), fd, TreeCalls.bytes(name), 0),
        "linkat",
        name,
        from.label + "/" + existing);
  }

  /**
   * Makes a device node or a FIFO.
   *
   * @param mode with the type, {@code S_IFCHR}, {@code S_IFBLK} or {@code S_IFIFO}
   */
  public void createNode(String name, int mode, int major, int minor) throws ErrnoException {
    check(
        TreeCalls.mknodat(fd, TreeCalls.bytes(name), mode, device(major, minor)),
        "mknodat",
        name,
        "0%o, %d:%d".formatted(mode, major, minor));
  }

  /** Removes a name that is no folder. */
  public void unlink(String name) throws ErrnoException {
    check(TreeCalls.unlinkat(fd, TreeCalls.bytes(name), 0), "unlinkat", name, "");
  }

  /** Removes an empty folder. */
  public void removeFolder(String name) throws ErrnoException {
    check(
        TreeCalls.unlinkat(fd, TreeCalls.bytes(name), TreeCalls.AT_REMOVEDIR),
        "unlinkat",
        name,
        "AT_REMOVEDIR");
  }

  /**
   * Moves {@code name} to another folder on the same file system, over what is there (rename(2)).
   */
  public void move(String name, Folder target, String newName) throws ErrnoException {
    check(
        TreeCalls.renameat(fd, TreeCalls.bytes(name), target.fd, TreeCalls.bytes(newName)),
        "renameat",
        name,
        target.label + "/" + newName);
  }

  /** The owner, permissions, times and extended attributes of what has that name. */
  public Inode inode(String name) {
    return new Inode(this, name);
  }

  /** What a symbolic link says. */
  public String symbolicLink(String name) throws ErrnoException {
    byte[] target = new byte[4096];
    long size = TreeCalls.readlinkat(fd, TreeCalls.bytes(name), target, target.length);
    if (size < 0) {
      throw failure("readlinkat", name, "");
    }
    return new String(target, 0, (int) size, StandardCharsets.ISO_8859_1);
  }

  /** The inode of that name, of a symbolic link itself; empty if the name is free. */
  public Optional<FileStatus> status(String name) throws ErrnoException {
    try (Memory result = new Memory(FileStatus.STRUCT_SIZE)) {
      int flags = TreeCalls.AT_SYMLINK_NOFOLLOW;
      if (TreeCalls.statx(fd, TreeCalls.bytes(name), flags, TreeCalls.STATX_BASIC_STATS, result)
          < 0) {
        int errno = Native.getLastError();
        if (errno == Errno.ENOENT) {
          return Optional.empty();
        }
        throw new ErrnoException("statx(\"%s/%s\")".formatted(label, name), errno);
      }
      return Optional.of(FileStatus.of(result));
    }
  }

  /** The number of the file system that the folder is on. */
  public long device() throws ErrnoException {
    try (Memory result = new Memory(FileStatus.STRUCT_SIZE)) {
      if (TreeCalls.statx(fd, TreeCalls.bytes("."), 0, TreeCalls.STATX_BASIC_STATS, result) < 0) {
        throw failure("statx", ".", "");
      }
      // struct statx: stx_dev_major, stx_dev_minor
      return (long) result.getInt(136) << 32 | Integer.toUnsignedLong(result.getInt(140));
    }
  }

  /** The names in the folder, without {@code .} and {@code ..}, in the file system's order. */
  public List<String> list() throws ErrnoException {
    return Listing.of(this);
  }

  /**
   * Brings all of the file system that this folder is on to the disk, and tells of failed writes.
   */
  public void syncFileSystem() throws ErrnoException {
    check(TreeCalls.syncfs(fd), "syncfs", ".", "");
  }

  /**
   * Makes it the working directory, for calls that take a path only. Only on a thread that shares
   * it with no other one, as work in a mount namespace is ({@code Namespaces.callIn}).
   */
  public void enter() throws ErrnoException {
    check(TreeCalls.fchdir(fd), "fchdir", ".", "");
  }

  /** The descriptor, valid until {@link #close}. */
  public int number() {
    return fd;
  }

  /** Closes it; doing it twice is harmless. */
  @Override
  public void close() {
    if (fd >= 0) {
      TreeCalls.close(fd);
      fd = -1;
    }
  }

  @Override
  public String toString() {
    return label;
  }

  private static long device(int major, int minor) {
    long high = Integer.toUnsignedLong(major);
    long low = Integer.toUnsignedLong(minor);
    return (high & 0xfffff000L) << 32
        | (high & 0xfff) << 8
        | (low & 0xffffff00L) << 12
        | (low & 0xff);
  }

  private void check(int result, String call, String name, String rest) throws ErrnoException {
    if (result < 0) {
      throw failure(call, name, rest);
    }
  }

  private ErrnoException failure(String call, String name, String rest) {
    int errno = Native.getLastError();
    return new ErrnoException("%s(\"%s/%s\", %s)".formatted(call, label, name, rest), errno);
  }
}
