package io.keelson.runtime.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The keys of a table {@code [runtimes.NAME]}, one OCI runtime. */
final class RuntimeKeys {

  /** A runtime's name is the handler of a Kubernetes RuntimeClass: a DNS label (RFC 1123). */
  static final ValueType<String> NAME =
      ValueTypes.matching(
          "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
          "the name of a runtime: small letters, digits and hyphens");

  private static final ValueType<String> ANNOTATION =
      ValueTypes.matching("(?s)[^=\\s]+=.*", "an annotation: \"name=value\"");

  private RuntimeKeys() {}

  static Key<String> path(String runtime) {
    return Key.of(
        "runtimes." + runtime + ".path",
        ValueTypes.PROGRAM,
        runtime,
        """
        Its program: a name that is looked for in PATH, or an absolute path.\
        """);
  }

  static Key<Path> root(String runtime) {
    return Key.derived(
        "runtimes." + runtime + ".root",
        ValueTypes.ABSOLUTE_PATH,
        values -> values.get(Keys.STATE).resolve("runtimes").resolve(runtime),
        """
        Where it keeps its own state. Default: a folder of its own in the state folder.\
        """);
  }

  static Key<RuntimeTypeChoice> type(String runtime) {
    return Key.of(
        "runtimes." + runtime + ".type",
        ValueTypes.choice(RuntimeTypeChoice.class),
        RuntimeTypeChoice.AUTO,
        """
        Whose command line it has: "crun", "runc", "other", or "auto" for what the name of its
        program says.\
        """);
  }

  static Key<List<String>> annotations(String runtime) {
    return Key.of(
        "runtimes." + runtime + ".annotations",
        ValueTypes.listOf(ANNOTATION, "annotations"),
        List.of(),
        """
        Annotations ("name=value") in the spec of each of its containers.\
        """);
  }

  static Key<SnapshotBackend> snapshotBackend(String runtime) {
    return Key.of(
        "runtimes." + runtime + ".snapshot_backend",
        ValueTypes.choice(SnapshotBackend.class),
        SnapshotBackend.DEFAULT,
        """
        How root file systems are made for its containers: "overlay", "copy", "bind" (read-only),
        or "default" for the node's usual way.\
        """);
  }

  static Key<Optional<Path>> cniConfDir(String runtime) {
    return Key.of(
        "runtimes." + runtime + ".cni_conf_dir",
        ValueTypes.OPTIONAL_PATH,
        Optional.empty(),
        """
        The CNI configuration of its pods, if they are to have another network than those of
        other runtimes; "" for the same.\
        """);
  }
}
