package io.keelson.linux.inflate;

import com.sun.jna.Native;

/** The functions of ISA-L by JNA direct mapping; loading this class fails on a host without it. */
final class IsalCalls {

  static {
    Native.register(IsalCalls.class, "libisal.so.2");
  }

  private IsalCalls() {}

  static native void isal_inflate_init(long state);

  static native void isal_inflate_reset(long state);

  static native int isal_inflate(long state);
}
