package io.keelson.linux;

/** What differs between the processor architectures in the kernel's interface. */
final class Architecture {

  private static final boolean ARM = System.getProperty("os.arch", "").equals("aarch64");

  private Architecture() {}

  static int oDirectory() {
    return ARM ? 0x4000 : 0x10000;
  }

  static int oNofollow() {
    return ARM ? 0x8000 : 0x20000;
  }

  /** struct epoll_event is packed on x86-64 alone: 4 bytes of events, 8 of data. */
  static int epollEventSize() {
    return ARM ? 16 : 12;
  }

  static int epollDataOffset() {
    return ARM ? 8 : 4;
  }
}
