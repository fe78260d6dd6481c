package io.keelson.linux;

import com.sun.jna.Memory;

/**
 * The attributes of a start: signals, and whether the child leads a session
 * (posix_spawnattr_init(3)).
 */
final class SpawnAttributes implements AutoCloseable {

  /** More than the C library's 336 bytes. */
  private static final int SIZE = 512;

  private static final int SIGSET_SIZE = 128;
  private static final int SETSIGDEF = 0x04;
  private static final int SETSIGMASK = 0x08;
  private static final int SETSID = 0x80;

  private final Memory memory = new Memory(SIZE);

  SpawnAttributes(boolean newSession) {
    LibC.posix_spawnattr_init(memory);
    try (Memory signals = new Memory(SIGSET_SIZE)) {
      signals.clear();
      LibC.posix_spawnattr_setsigmask(memory, signals);
      signals.setMemory(0, SIGSET_SIZE, (byte) 0xff);
      LibC.posix_spawnattr_setsigdefault(memory, signals);
    }
    int flags = SETSIGDEF | SETSIGMASK | (newSession ? SETSID : 0);
    LibC.posix_spawnattr_setflags(memory, (short) flags);
  }

  Memory memory() {
    return memory;
  }

  @Override
  public void close() {
    LibC.posix_spawnattr_destroy(memory);
    memory.close();
  }
}
