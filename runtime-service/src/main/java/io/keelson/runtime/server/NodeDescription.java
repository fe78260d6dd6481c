package io.keelson.runtime.server;

import io.keelson.proto.cri.v1.RuntimeFeatures;
import io.keelson.proto.cri.v1.RuntimeHandler;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * What does not change while the daemon runs.
 *
 * @param version of the daemon
 * @param systemdCgroups whether systemd makes the cgroups
 * @param handlers the runtime handlers, with an entry of empty name for the default one
 * @param features of the runtime as a whole
 * @param toJson writes what else is told by verbose status
 * @param configurationJson gives the configuration in force, for verbose status
 */
public record NodeDescription(
    String version,
    boolean systemdCgroups,
    List<RuntimeHandler> handlers,
    RuntimeFeatures features,
    Supplier<String> configurationJson,
    Function<Map<String, Object>, String> toJson) {

  public NodeDescription {
    handlers = List.copyOf(handlers);
  }
}
