package io.keelson.integration;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A device node of the host.
 *
 * @param type as mknod has it: {@code b} or {@code c}
 */
record HostNode(String type, long major, long minor) {

  private static final int TYPE = 0170000;
  private static final int BLOCK = 0060000;

  static HostNode of(Path path) throws IOException {
    long number = ((Number) Files.getAttribute(path, "unix:rdev")).longValue();
    int mode = (Integer) Files.getAttribute(path, "unix:mode");
    return new HostNode((mode & TYPE) == BLOCK ? "b" : "c", (number >> 8) & 0xfff, number & 0xff);
  }

  /** The shell command that makes such a node anew. */
  String remade(String path) {
    return "rm -f %s; mknod %s %s %d %d".formatted(path, path, type, major, minor);
  }
}
