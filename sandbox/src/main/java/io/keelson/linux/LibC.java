package io.keelson.linux;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The C library by JNA direct mapping. Strings go over as zero-terminated bytes, since JNA's own
 * conversion follows the locale. Functions that take a variable number of arguments are mapped with
 * the ones that are used here; for integers and pointers both supported architectures pass them
 * alike.
 */
final class LibC {

  static final int O_RDONLY = 0;
  static final int O_CLOEXEC = 0x80000;
  static final int O_NONBLOCK = 0x800;

  static final int F_GETFL = 3;
  static final int F_SETFL = 4;
  static final int F_DUPFD_CLOEXEC = 1030;

  static final short POLLIN = 0x1;
  static final short POLLOUT = 0x4;

  static final int AT_FDCWD = -100;
  static final int AT_RECURSIVE = 0x8000;
  static final int AT_EMPTY_PATH = 0x1000;

  static final long SYS_OPEN_TREE = 428;
  static final long SYS_MOVE_MOUNT = 429;
  static final long SYS_PIDFD_SEND_SIGNAL = 424;
  static final long SYS_PIDFD_OPEN = 434;
  static final long SYS_OPENAT2 = 437;
  static final long SYS_MOUNT_SETATTR = 442;

  static {
    Native.register(LibC.class, "c");
  }

  private LibC() {}

  // Files

  static native int open(byte[] path, int flags, int mode);

  static native int close(int fd);

  static native long read(int fd, Pointer buffer, long count);

  static native long write(int fd, Pointer buffer, long count);

  /**
   * As read with memory of its own; the array is copied whole, so it should be no larger than
   * needed.
   */
  static native long read(int fd, byte[] buffer, long count);

  static native long write(int fd, byte[] buffer, long count);

  static native int pipe2(int[] fds, int flags);

  static native int fcntl(int fd, int command, long argument);

  static native int ioctl(int fd, long request, @Nullable Pointer argument);

  static native int statx(int directory, byte[] path, int flags, int mask, Pointer result);

  static native int statfs(byte[] path, Pointer result);

  static native int poll(Pointer fds, long count, int timeoutMillis);

  static native int memfd_create(byte[] name, int flags);

  static native int eventfd(int initial, int flags);

  static native int epoll_create1(int flags);

  static native int epoll_ctl(int epoll, int operation, int fd, Pointer event);

  static native int epoll_wait(int epoll, Pointer events, int max, int timeoutMillis);

  static native int inotify_init1(int flags);

  static native int inotify_add_watch(int inotify, byte[] path, int mask);

  static native int socket(int domain, int type, int protocol);

  static native int bind(int socket, Pointer address, int length);

  static native int listen(int socket, int backlog);

  static native int accept4(
      int socket, @Nullable Pointer address, @Nullable Pointer length, int flags);

  static native int connect(int socket, Pointer address, int length);

  static native int shutdown(int socket, int how);

  static native long recvmsg(int socket, Pointer message, int flags);

  // Mounts and namespaces

  static native int mount(
      byte @Nullable [] source,
      byte[] target,
      byte @Nullable [] type,
      long flags,
      byte @Nullable [] data);

  static native int umount2(byte[] target, int flags);

  static native int pivot_root(byte[] newRoot, byte[] oldRoot);

  static native int unshare(int flags);

  static native int setns(int fd, int type);

  /** Of the calling thread alone; answers the one before. */
  static native int setfsuid(int uid);

  /** As {@link #setfsuid}. */
  static native int setfsgid(int gid);

  static native int sethostname(byte[] name, long length);

  // Processes

  /** Of the calling thread alone where that is what the option changes. */
  static native int prctl(int option, long a, long b, long c, long d);

  /** Of the calling thread alone. */
  static native int capset(Pointer header, Pointer sets);

  static native int kill(int pid, int signal);

  static native int waitpid(int pid, int[] status, int options);

  static native int posix_spawn(
      int[] pid, byte[] path, Pointer actions, Pointer attributes, Pointer argv, Pointer envp);

  static native int posix_spawn_file_actions_init(Pointer actions);

  static native int posix_spawn_file_actions_destroy(Pointer actions);

  static native int posix_spawn_file_actions_adddup2(Pointer actions, int fd, int childFd);

  static native int posix_spawn_file_actions_addopen(
      Pointer actions, int childFd, byte[] path, int flags, int mode);

  static native int posix_spawn_file_actions_addchdir_np(Pointer actions, byte[] path);

  static native int posix_spawn_file_actions_addclosefrom_np(Pointer actions, int from);

  static native int posix_spawnattr_init(Pointer attributes);

  static native int posix_spawnattr_destroy(Pointer attributes);

  static native int posix_spawnattr_setflags(Pointer attributes, short flags);

  static native int posix_spawnattr_setsigdefault(Pointer attributes, Pointer signals);

  static native int posix_spawnattr_setsigmask(Pointer attributes, Pointer signals);

  // What the library has no function for

  static native long syscall(long number, long a, long b, long c, long d, long e);

  /** The bytes of a string with the terminating zero. */
  static byte[] string(String text) {
    if (text.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("contains a zero byte: " + text.replace('\0', '?'));
    }
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    byte[] result = new byte[utf8.length + 1];
    System.arraycopy(utf8, 0, result, 0, utf8.length);
    return result;
  }

  /** Memory that holds a string; to be closed by the caller. */
  static Memory memory(String text) {
    byte[] bytes = string(text);
    Memory memory = new Memory(bytes.length);
    memory.write(0, bytes, 0, bytes.length);
    return memory;
  }

  /** The error of the call just made by this thread, as an exception to throw. */
  static ErrnoException failure(String call) {
    return new ErrnoException(call, Native.getLastError());
  }
}
