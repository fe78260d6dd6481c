package io.keelson.sandbox.port;

import java.nio.file.Path;

/** Whose command line and files an OCI runtime has; what they do differently depends on it. */
public enum RuntimeType {
  CRUN,
  RUNC,
  /** Any other: nothing is taken for granted but the command line that all have in common. */
  OTHER;

  /** By the name of the program: {@code crun-1.20} is a crun. */
  public static RuntimeType of(Path program) {
    String name = String.valueOf(program.getFileName());
    return name.startsWith("crun") ? CRUN : name.startsWith("runc") ? RUNC : OTHER;
  }
}
