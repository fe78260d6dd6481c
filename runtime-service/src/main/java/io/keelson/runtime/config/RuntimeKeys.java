package io.keelson.runtime.config;

import java.nio.file.Path;

/** The keys of a table {@code [runtimes.NAME]}, one OCI runtime. */
final class RuntimeKeys {

  /** A runtime's name is the handler of a Kubernetes RuntimeClass: a DNS label (RFC 1123). */
  static final ValueType<String> NAME =
      ValueTypes.matching(
          "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
          "the name of a runtime: small letters, digits and hyphens");

  private RuntimeKeys() {}

  static Key<String> path(String runtime) {
    return Key.of(
        "runtimes." + runtime + ".path",
        ValueTypes.PROGRAM,
        runtime,
        """
        Its program: a name that is looked for in PATH, or an absolute path.""");
  }

  static Key<Path> root(String runtime) {
    return Key.derived(
        "runtimes." + runtime + ".root",
        ValueTypes.ABSOLUTE_PATH,
        values -> values.get(Keys.STATE).resolve("runtimes").resolve(runtime),
        """
        Where it keeps its own state. Default: a folder of its own in the state folder.""");
  }
}
