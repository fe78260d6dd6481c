package io.keelson.linux.tree;

import com.sun.jna.Native;
import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.Fd;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * What a name in a {@link Folder} leads to: its owner, permissions, times and extended attributes.
 * A symbolic link is meant itself. Looked up with each call, so that it need not be there yet; for
 * as long as the folder is open, and safe for use by many threads.
 */
public final class Inode {

  private static final int ATTRIBUTE_MAX = 64 * 1024;

  private final Folder folder;
  private final String name;

  Inode(Folder folder, String name) {
    this.folder = folder;
    this.name = name;
  }

  public void setOwner(int uid, int gid) throws ErrnoException {
    check(
        TreeCalls.fchownat(folder.number(), bytes(), uid, gid, TreeCalls.AT_SYMLINK_NOFOLLOW),
        "fchownat",
        uid + ", " + gid);
  }

  /** Not for symbolic links, which have no permissions and would be followed. */
  public void setPermissions(int permissions) throws ErrnoException {
    check(
        TreeCalls.fchmodat(folder.number(), bytes(), permissions, 0),
        "fchmodat",
        Integer.toOctalString(permissions));
  }

  /**
   * As {@link #setPermissions}, in a folder where others may put a symbolic link in the name's
   * place at any moment: that is an error (EOPNOTSUPP) and changes nothing.
   */
  public void setPermissionsNoFollow(int permissions) throws ErrnoException {
    int flags = Fd.O_PATH | Fd.O_NOFOLLOW | TreeCalls.O_CLOEXEC;
    int inode = TreeCalls.openat(folder.number(), bytes(), flags, 0);
    check(inode, "openat", "O_PATH");
    try {
      // fchmod(2) takes no such descriptor, and fchmodat(2) no flag before Linux 6.6.
      check(
          TreeCalls.fchmodat(
              TreeCalls.AT_FDCWD, TreeCalls.bytes("/proc/self/fd/" + inode), permissions, 0),
          "fchmodat",
          Integer.toOctalString(permissions));
    } finally {
      TreeCalls.close(inode);
    }
  }

  public void setTimes(Timestamp accessed, Timestamp modified) throws ErrnoException {
    check(
        TreeCalls.utimensat(
            folder.number(),
            bytes(),
            Timestamp.pair(accessed, modified),
            TreeCalls.AT_SYMLINK_NOFOLLOW),
        "utimensat",
        modified.toString());
  }

  public void setAttribute(String attribute, byte[] value) throws ErrnoException {
    check(
        TreeCalls.lsetxattr(procPath(), TreeCalls.bytes(attribute), value, value.length, 0),
        "lsetxattr",
        attribute);
  }

  /** An extended attribute, if it has it. */
  public Optional<byte[]> attribute(String attribute) throws ErrnoException {
    byte[] value = new byte[ATTRIBUTE_MAX];
    long size = TreeCalls.lgetxattr(procPath(), TreeCalls.bytes(attribute), value, value.length);
    if (size < 0) {
      int errno = Native.getLastError();
      if (errno == Errno.ENODATA || errno == Errno.EOPNOTSUPP) {
        return Optional.empty();
      }
      throw new ErrnoException("lgetxattr(\"%s\", %s)".formatted(this, attribute), errno);
    }
    return Optional.of(Arrays.copyOf(value, (int) size));
  }

  /** The names of its extended attributes. */
  public List<String> attributes() throws ErrnoException {
    byte[] names = new byte[ATTRIBUTE_MAX];
    long size = TreeCalls.llistxattr(procPath(), names, names.length);
    if (size < 0) {
      int errno = Native.getLastError();
      if (errno == Errno.EOPNOTSUPP) {
        return List.of();
      }
      throw new ErrnoException("llistxattr(\"%s\")".formatted(this), errno);
    }
    String all = new String(names, 0, (int) size, StandardCharsets.ISO_8859_1);
    return all.isEmpty() ? List.of() : List.of(all.split("\0", 0));
  }

  @Override
  public String toString() {
    return folder + "/" + name;
  }

  private byte[] bytes() {
    return TreeCalls.bytes(name);
  }

  // Extended attributes have no call that takes a folder and a name.
  private byte[] procPath() {
    return TreeCalls.bytes("/proc/self/fd/" + folder.number() + "/" + name);
  }

  private void check(int result, String call, String rest) throws ErrnoException {
    if (result < 0) {
      int errno = Native.getLastError();
      throw new ErrnoException("%s(\"%s\", %s)".formatted(call, this, rest), errno);
    }
  }
}
