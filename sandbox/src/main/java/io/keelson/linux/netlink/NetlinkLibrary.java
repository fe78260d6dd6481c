package io.keelson.linux.netlink;

import com.sun.jna.Native;

/** The socket calls of the C library; each sets {@link Native#getLastError}. */
final class NetlinkLibrary {

  static {
    Native.register(NetlinkLibrary.class, "c");
  }

  static native int socket(int domain, int type, int protocol);

  static native int bind(int fd, byte[] address, int length);

  static native int setsockopt(int fd, int level, int name, byte[] value, int length);

  static native long send(int fd, byte[] message, long length, int flags);

  static native long recvfrom(
      int fd, byte[] buffer, long length, int flags, byte[] sender, int[] senderLength);

  static native int ioctl(int fd, long request, byte[] argument);

  static native int close(int fd);

  private NetlinkLibrary() {}
}
