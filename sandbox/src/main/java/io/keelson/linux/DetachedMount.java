package io.keelson.linux;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A file system that is mounted nowhere: no process sees it among its mounts, and it is gone when
 * this is closed (fsopen(2), fsmount(2); Linux 5.2).
 */
public final class DetachedMount implements AutoCloseable {

  private static final long SYS_FSOPEN = 430;
  private static final long SYS_FSCONFIG = 431;
  private static final long SYS_FSMOUNT = 432;
  private static final long CLOEXEC = 1; // FSOPEN_CLOEXEC, FSMOUNT_CLOEXEC

  private static final long SET_FLAG = 0;
  private static final long SET_STRING = 1;
  private static final long CREATE = 6;

  private final Fd root;

  private DetachedMount(Fd root) {
    this.root = root;
  }

  /**
   * Makes a file system.
   *
   * @param type of the file system
   * @param parameters its options; an empty value for one that has none
   */
  public static DetachedMount of(String type, Map<String, String> parameters) throws IOException {
    try (Memory name = LibC.memory(type);
        Fd context = fd("fsopen(\"" + type + "\")", SYS_FSOPEN, pointer(name), CLOEXEC, 0, 0, 0)) {
      for (Map.Entry<String, String> parameter : parameters.entrySet()) {
        String value = parameter.getValue();
        configure(context, value.isEmpty() ? SET_FLAG : SET_STRING, parameter.getKey(), value);
      }
      configure(context, CREATE, null, "");
      return new DetachedMount(
          fd("fsmount(" + type + ")", SYS_FSMOUNT, context.number(), CLOEXEC, 0, 0, 0));
    }
  }

  private static void configure(Fd context, long command, @Nullable String key, String value)
      throws ErrnoException {
    try (Memory keyText = LibC.memory(key == null ? "" : key);
        Memory valueText = LibC.memory(value)) {
      long result =
          LibC.syscall(
              SYS_FSCONFIG,
              context.number(),
              command,
              key == null ? 0 : pointer(keyText),
              command == SET_STRING ? pointer(valueText) : 0,
              0);
      if (result < 0) {
        throw LibC.failure("fsconfig(%d, %s, \"%s\")".formatted(command, key, value));
      }
    }
  }

  private static Fd fd(String call, long number, long a, long b, long c, long d, long e)
      throws ErrnoException {
    long result = LibC.syscall(number, a, b, c, d, e);
    if (result < 0) {
      throw LibC.failure(call);
    }
    return Fd.adopt((int) result);
  }

  private static long pointer(Memory memory) {
    return Pointer.nativeValue(memory);
  }

  /** Its root folder as this process can reach it while this is open. */
  public Path path() {
    return Path.of("/proc/self/fd/" + root.number());
  }

  @Override
  public void close() {
    root.close();
  }
}
