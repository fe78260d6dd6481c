package io.keelson.sandbox.port;

import java.nio.file.Path;
import java.util.Map;

/**
 * An OCI runtime by its name in the configuration, with what is particular to its pods.
 *
 * @param name what a pod's runtime_handler says; the default one answers to the empty name too
 * @param type whose command line the program has
 * @param binary the runtime's program
 * @param root the runtime's own state folder ({@code --root})
 * @param systemdCgroup containers are systemd scopes ({@code --systemd-cgroup})
 * @param annotations in the spec of each of its containers, unless set otherwise there
 * @param snapshotBackend how root file systems are made for it; {@code ""} for the node's way
 */
public record RuntimeHandler(
    String name,
    RuntimeType type,
    Path binary,
    Path root,
    boolean systemdCgroup,
    Map<String, String> annotations,
    String snapshotBackend) {

  public RuntimeHandler {
    annotations = Map.copyOf(annotations);
  }

  /** A runtime of the type that its program's name tells, with nothing particular. */
  public RuntimeHandler(String name, Path binary, Path root, boolean systemdCgroup) {
    this(name, RuntimeType.of(binary), binary, root, systemdCgroup, Map.of(), "");
  }

  /** The same with another state folder. */
  public RuntimeHandler withRoot(Path other) {
    return new RuntimeHandler(
        name, type, binary, other, systemdCgroup, annotations, snapshotBackend);
  }
}
