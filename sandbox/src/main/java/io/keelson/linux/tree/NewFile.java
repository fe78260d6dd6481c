package io.keelson.linux.tree;

import com.sun.jna.Native;
import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;

/** A regular file that was just made and is being filled. For one thread. */
public final class NewFile implements AutoCloseable {

  private static final int SEEK_CUR = 1;

  private final String name;
  private int fd;

  NewFile(int fd, String name) {
    this.fd = fd;
    this.name = name;
  }

  /** Writes all of it at the current position. */
  public void write(byte[] data, int offset, int length, TransferBuffer buffer)
      throws ErrnoException {
    int done = 0;
    while (done < length) {
      int part = Math.min(length - done, buffer.size());
      buffer.fill(data, offset + done, part);
      int written = 0;
      while (written < part) {
        long count = TreeCalls.write(fd, buffer.address() + written, part - written);
        if (count >= 0) {
          written += (int) count;
        } else if (Native.getLastError() != Errno.EINTR) {
          throw TreeCalls.failure("write(\"%s\", %d)".formatted(name, part - written));
        }
      }
      done += part;
    }
  }

  /** Leaves a hole of {@code count} bytes. */
  public void skip(long count) throws ErrnoException {
    if (TreeCalls.lseek(fd, count, SEEK_CUR) < 0) {
      throw TreeCalls.failure("lseek(\"%s\", %d, SEEK_CUR)".formatted(name, count));
    }
  }

  /** Makes it this long; what was never written reads as zeros and takes no space. */
  public void setSize(long size) throws ErrnoException {
    check(TreeCalls.ftruncate(fd, size), "ftruncate", size);
  }

  /**
   * The kernel takes away set-user-id, set-group-id and capabilities: comes before mode and
   * attributes.
   */
  public void setOwner(int uid, int gid) throws ErrnoException {
    check(TreeCalls.fchown(fd, uid, gid), "fchown", uid);
  }

  public void setPermissions(int permissions) throws ErrnoException {
    check(TreeCalls.fchmod(fd, permissions), "fchmod", permissions);
  }

  public void setAttribute(String attribute, byte[] value) throws ErrnoException {
    check(
        TreeCalls.fsetxattr(fd, TreeCalls.bytes(attribute), value, value.length, 0),
        "fsetxattr",
        attribute);
  }

  public void setTimes(Timestamp accessed, Timestamp modified) throws ErrnoException {
    check(TreeCalls.futimens(fd, Timestamp.pair(accessed, modified)), "futimens", modified);
  }

  /**
   * Closes it; doing it twice is harmless. Errors of delayed writes are told by a sync, not here.
   */
  @Override
  public void close() {
    if (fd >= 0) {
      TreeCalls.close(fd);
      fd = -1;
    }
  }

  private void check(int result, String call, Object argument) throws ErrnoException {
    if (result < 0) {
      int errno = Native.getLastError();
      throw new ErrnoException("%s(\"%s\", %s)".formatted(call, name, argument), errno);
    }
  }
}
