package io.keelson.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The kernel's name for the time since this boot (random(4)). */
public final class BootId {

  private BootId() {}

  /** A UUID that changes with every boot. */
  public static String current() throws IOException {
    return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
  }
}
