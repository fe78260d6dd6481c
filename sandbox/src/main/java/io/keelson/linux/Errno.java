package io.keelson.linux;

import java.util.Map;

/** Error numbers of Linux (errno(3)); these are the same on x86-64 and aarch64. */
public final class Errno {

  public static final int EPERM = 1;
  public static final int ENOENT = 2;
  public static final int ESRCH = 3;
  public static final int EINTR = 4;
  public static final int EIO = 5;
  public static final int ENXIO = 6;
  public static final int E2BIG = 7;
  public static final int ENOEXEC = 8;
  public static final int EBADF = 9;
  public static final int ECHILD = 10;
  public static final int EAGAIN = 11;
  public static final int ENOMEM = 12;
  public static final int EACCES = 13;
  public static final int EFAULT = 14;
  public static final int ENOTBLK = 15;
  public static final int EBUSY = 16;
  public static final int EEXIST = 17;
  public static final int EXDEV = 18;
  public static final int ENODEV = 19;
  public static final int ENOTDIR = 20;
  public static final int EISDIR = 21;
  public static final int EINVAL = 22;
  public static final int ENFILE = 23;
  public static final int EMFILE = 24;
  public static final int ENOTTY = 25;
  public static final int ETXTBSY = 26;
  public static final int EFBIG = 27;
  public static final int ENOSPC = 28;
  public static final int ESPIPE = 29;
  public static final int EROFS = 30;
  public static final int EMLINK = 31;
  public static final int EPIPE = 32;
  public static final int ERANGE = 34;
  public static final int EDEADLK = 35;
  public static final int ENAMETOOLONG = 36;
  public static final int ENOSYS = 38;
  public static final int ENOTEMPTY = 39;
  public static final int ELOOP = 40;
  public static final int ENODATA = 61;
  public static final int EOVERFLOW = 75;
  public static final int EUSERS = 87;
  public static final int EMSGSIZE = 90;
  public static final int EPROTONOSUPPORT = 93;
  public static final int EOPNOTSUPP = 95;
  public static final int EAFNOSUPPORT = 97;
  public static final int EADDRINUSE = 98;
  public static final int EADDRNOTAVAIL = 99;
  public static final int ENETDOWN = 100;
  public static final int ENETUNREACH = 101;
  public static final int ECONNRESET = 104;
  public static final int ENOBUFS = 105;
  public static final int ENOTCONN = 107;
  public static final int ETIMEDOUT = 110;
  public static final int ECONNREFUSED = 111;
  public static final int EHOSTUNREACH = 113;
  public static final int EALREADY = 114;
  public static final int EINPROGRESS = 115;
  public static final int ESTALE = 116;
  public static final int EDQUOT = 122;

  private static final Map<Integer, String> TEXTS =
      Map.ofEntries(
          Map.entry(EPERM, "operation not permitted (EPERM)"),
          Map.entry(ENOENT, "no such file or directory (ENOENT)"),
          Map.entry(ESRCH, "no such process (ESRCH)"),
          Map.entry(EINTR, "interrupted (EINTR)"),
          Map.entry(EIO, "input/output error (EIO)"),
          Map.entry(ENXIO, "no such device or address (ENXIO)"),
          Map.entry(E2BIG, "argument list too long (E2BIG)"),
          Map.entry(ENOEXEC, "exec format error (ENOEXEC)"),
          Map.entry(EBADF, "bad file descriptor (EBADF)"),
          Map.entry(ECHILD, "no child processes (ECHILD)"),
          Map.entry(EAGAIN, "try again (EAGAIN)"),
          Map.entry(ENOMEM, "out of memory (ENOMEM)"),
          Map.entry(EACCES, "permission denied (EACCES)"),
          Map.entry(EFAULT, "bad address (EFAULT)"),
          Map.entry(ENOTBLK, "block device required (ENOTBLK)"),
          Map.entry(EBUSY, "device or resource busy (EBUSY)"),
          Map.entry(EEXIST, "exists (EEXIST)"),
          Map.entry(EXDEV, "crosses a device or a root (EXDEV)"),
          Map.entry(ENODEV, "no such device (ENODEV)"),
          Map.entry(ENOTDIR, "not a directory (ENOTDIR)"),
          Map.entry(EISDIR, "is a directory (EISDIR)"),
          Map.entry(EINVAL, "invalid argument (EINVAL)"),
          Map.entry(ENFILE, "too many open files in the system (ENFILE)"),
          Map.entry(EMFILE, "too many open files (EMFILE)"),
          Map.entry(ENOTTY, "inappropriate ioctl (ENOTTY)"),
          Map.entry(ETXTBSY, "text file busy (ETXTBSY)"),
          Map.entry(EFBIG, "file too large (EFBIG)"),
          Map.entry(ENOSPC, "no space left (ENOSPC)"),
          Map.entry(ESPIPE, "illegal seek (ESPIPE)"),
          Map.entry(EROFS, "read-only file system (EROFS)"),
          Map.entry(EMLINK, "too many links (EMLINK)"),
          Map.entry(EPIPE, "broken pipe (EPIPE)"),
          Map.entry(ERANGE, "result out of range (ERANGE)"),
          Map.entry(EDEADLK, "deadlock avoided (EDEADLK)"),
          Map.entry(ENAMETOOLONG, "name too long (ENAMETOOLONG)"),
          Map.entry(ENOSYS, "not implemented by this kernel (ENOSYS)"),
          Map.entry(ENOTEMPTY, "directory not empty (ENOTEMPTY)"),
          Map.entry(ELOOP, "too many symbolic links (ELOOP)"),
          Map.entry(ENODATA, "no data (ENODATA)"),
          Map.entry(EOVERFLOW, "value too large (EOVERFLOW)"),
          Map.entry(EUSERS, "too many users (EUSERS)"),
          Map.entry(EMSGSIZE, "message too long (EMSGSIZE)"),
          Map.entry(EPROTONOSUPPORT, "protocol not supported (EPROTONOSUPPORT)"),
          Map.entry(EOPNOTSUPP, "not supported (EOPNOTSUPP)"),
          Map.entry(EAFNOSUPPORT, "address family not supported (EAFNOSUPPORT)"),
          Map.entry(EADDRINUSE, "address in use (EADDRINUSE)"),
          Map.entry(EADDRNOTAVAIL, "address not available (EADDRNOTAVAIL)"),
          Map.entry(ENETDOWN, "network is down (ENETDOWN)"),
          Map.entry(ENETUNREACH, "network unreachable (ENETUNREACH)"),
          Map.entry(ECONNRESET, "connection reset (ECONNRESET)"),
          Map.entry(ENOBUFS, "no buffer space (ENOBUFS)"),
          Map.entry(ENOTCONN, "not connected (ENOTCONN)"),
          Map.entry(ETIMEDOUT, "timed out (ETIMEDOUT)"),
          Map.entry(ECONNREFUSED, "connection refused (ECONNREFUSED)"),
          Map.entry(EHOSTUNREACH, "host unreachable (EHOSTUNREACH)"),
          Map.entry(EALREADY, "already in progress (EALREADY)"),
          Map.entry(EINPROGRESS, "in progress (EINPROGRESS)"),
          Map.entry(ESTALE, "stale file handle (ESTALE)"),
          Map.entry(EDQUOT, "disk quota exceeded (EDQUOT)"));

  private Errno() {}

  /**
   * The number in words, with its symbol if it is a known one: {@code "no such process (ESRCH)"}.
   */
  public static String describe(int errno) {
    return TEXTS.getOrDefault(errno, "errno " + errno);
  }
}
