package io.keelson.integration.harness;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/** The host's CRIU, or the one that the environment variable {@code KEELSON_CRIU} names. */
public final class Criu {

  private Criu() {}

  /** Its program; empty if there is none, or none that works on this kernel. */
  public static Optional<Path> working() {
    String named = System.getenv("KEELSON_CRIU");
    return Stream.of(Objects.requireNonNullElse(named, ""), "/usr/sbin/criu", "/usr/bin/criu")
        .filter(path -> !path.isEmpty())
        .map(Path::of)
        .filter(Files::isExecutable)
        .filter(path -> Shell.run(List.of(path.toString(), "check")).exitCode() == 0)
        .findFirst();
  }
}
