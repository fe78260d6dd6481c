package io.keelson.runtime.cli;

import io.keelson.proto.cri.v1.Mount;
import java.nio.file.Path;

/** {@code HOST:CONTAINER[:ro]}: a file or folder of the host in the container. */
final class VolumeFlag {

  private VolumeFlag() {}

  static Mount parse(String text) {
    String[] parts = text.split(":", -1);
    boolean readOnly = parts.length == 3 && parts[2].equals("ro");
    boolean wellFormed =
        parts.length == 2 || readOnly || (parts.length == 3 && parts[2].equals("rw"));
    if (!wellFormed || parts[0].isEmpty() || !parts[1].startsWith("/")) {
      throw CommandException.usage(
          "\""
              + text
              + "\" is no volume; write HOST:CONTAINER or HOST:CONTAINER:ro, the second an"
              + " absolute path");
    }
    return Mount.newBuilder()
        .setHostPath(Path.of(parts[0]).toAbsolutePath().normalize().toString())
        .setContainerPath(parts[1])
        .setReadonly(readOnly)
        .build();
  }
}
