package io.keelson.linux.tree;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;

/**
 * Memory outside of the heap that file content passes through on its way to write(2). For one
 * thread.
 */
public final class TransferBuffer implements AutoCloseable {

  private static final int SIZE = 128 * 1024;

  private final Memory memory = new Memory(SIZE);
  private final long address = Pointer.nativeValue(memory);

  /** How many bytes go through at once. */
  int size() {
    return SIZE;
  }

  /** Fills it; at most {@link #size} bytes. */
  void fill(byte[] data, int offset, int length) {
    memory.write(0, data, offset, length);
  }

  long address() {
    return address;
  }

  @Override
  public void close() {
    memory.close();
  }
}
