package io.keelson.integration.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What memory a process has, as the kernel counts it (proc(5)); all in bytes. */
public record ProcessMemory(long pid) {

  /** What it has at the moment. */
  public long resident() {
    return value("VmRSS");
  }

  /** The most that it has had since {@link #forgetPeak}, or since it began. */
  public long peak() {
    return value("VmHWM");
  }

  /** Counts the peak anew. */
  public void forgetPeak() {
    try {
      Files.writeString(file("clear_refs"), "5");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Path file(String name) {
    return Path.of("/proc", Long.toString(pid), name);
  }

  private long value(String name) {
    try {
      String line =
          Files.readAllLines(file("status")).stream()
              .filter(candidate -> candidate.startsWith(name + ":"))
              .findFirst()
              .orElseThrow();
      return 1024 * Long.parseLong(line.replaceAll("[^0-9]", ""));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
