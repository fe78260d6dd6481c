package io.keelson.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** SELinux of the running kernel, by its file system (selinuxfs) and proc(5). */
public final class Selinux {

  private static final Path FILES = Path.of("/sys/fs/selinux");

  /** What every process is labelled as long as no policy is loaded. */
  private static final String WITHOUT_POLICY = "kernel";

  private Selinux() {}

  /** Whether it is on and has a policy; without one all labels mean nothing. */
  public static boolean isEnabled() throws IOException {
    return Files.exists(FILES.resolve("enforce"))
        && !withoutZero(Files.readString(Path.of("/proc/self/attr/current")))
            .equals(WITHOUT_POLICY);
  }

  /**
   * Whether the policy in force has a label: its user, role and type, that they may be together,
   * and the level.
   */
  public static boolean knows(String label) throws IOException {
    try {
      Files.write(
          FILES.resolve("context"),
          (label + '\0').getBytes(StandardCharsets.UTF_8),
          StandardOpenOption.WRITE);
      return true;
    } catch (IOException e) {
      if (String.valueOf(e.getMessage()).contains("Invalid argument")) {
        return false;
      }
      throw e;
    }
  }

  private static String withoutZero(String text) {
    return text.replace("\0", "").strip();
  }
}
