package io.keelson.linux.tree;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import io.keelson.linux.ErrnoException;
import java.nio.charset.StandardCharsets;

/** The C library by JNA direct mapping: what concerns trees. */
final class TreeCalls {

  static final int AT_FDCWD = -100;
  static final int AT_SYMLINK_NOFOLLOW = 0x100;
  static final int AT_REMOVEDIR = 0x200;
  static final int O_CLOEXEC = 0x80000;
  static final long SYS_OPENAT2 = 437;
  static final int STATX_BASIC_STATS = 0x7ff;

  static {
    Native.register(TreeCalls.class, "c");
  }

  private TreeCalls() {}

  static native int openat(int folder, byte[] name, int flags, int mode);

  static native int close(int fd);

  static native long write(int fd, long address, long count);

  static native int ftruncate(int fd, long length);

  static native long lseek(int fd, long offset, int whence);

  static native int fchown(int fd, int uid, int gid);

  static native int fchmod(int fd, int mode);

  static native int futimens(int fd, long[] times);

  static native int fsetxattr(int fd, byte[] name, byte[] value, long size, int flags);

  static native int fchdir(int fd);

  static native int mkdirat(int folder, byte[] name, int mode);

  static native int symlinkat(byte[] target, int folder, byte[] name);

  static native int linkat(int from, byte[] name, int to, byte[] newName, int flags);

  static native int renameat(int from, byte[] name, int to, byte[] newName);

  static native int mknodat(int folder, byte[] name, int mode, long device);

  static native int unlinkat(int folder, byte[] name, int flags);

  static native int fchownat(int folder, byte[] name, int uid, int gid, int flags);

  static native int fchmodat(int folder, byte[] name, int mode, int flags);

  static native int utimensat(int folder, byte[] name, long[] times, int flags);

  static native int lsetxattr(byte[] path, byte[] name, byte[] value, long size, int flags);

  static native long lgetxattr(byte[] path, byte[] name, byte[] value, long size);

  static native long llistxattr(byte[] path, byte[] names, long size);

  static native long readlinkat(int folder, byte[] name, byte[] target, long size);

  static native int statx(int folder, byte[] name, int flags, int mask, Pointer result);

  static native long getdents64(int folder, Pointer entries, long size);

  static native int syncfs(int fd);

  static native long syscall(long number, long a, byte[] b, Pointer c, long d);

  /** A name's bytes with the terminating zero. */
  static byte[] bytes(String name) {
    if (name.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("contains a zero byte: " + name.replace('\0', '?'));
    }
    byte[] result = new byte[name.length() + 1];
    byte[] raw = name.getBytes(StandardCharsets.ISO_8859_1);
    System.arraycopy(raw, 0, result, 0, raw.length);
    return result;
  }

  static ErrnoException failure(String call) {
    return new ErrnoException(call, Native.getLastError());
  }
}
