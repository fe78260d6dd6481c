package io.keelson.sandbox;

import io.keelson.linux.cgroup.CgroupDriver;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.port.RuntimeHandler;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;

/**
 * What the core is told by the configuration.
 *
 * @param root survives a reboot: records, images
 * @param state gone after a reboot: bundles, pinned namespaces, exit files
 * @param netnsDirectory where network namespaces are pinned, as {@code keelson-ID}; CNI agents and
 *     {@code ip netns} look there
 * @param handlers OCI runtimes by name
 * @param defaultHandler the name of the one that answers to the empty name
 * @param cgroupDriver who makes the control groups of containers
 * @param killTimeout how long a killed process may take to be gone before a call gives up
 */
public record SandboxSettings(
    Path root,
    Path state,
    Path netnsDirectory,
    Map<String, RuntimeHandler> handlers,
    String defaultHandler,
    CgroupDriver cgroupDriver,
    Duration killTimeout) {

  public SandboxSettings {
    handlers = Map.copyOf(handlers);
    if (!handlers.containsKey(defaultHandler)) {
      throw new IllegalArgumentException("no runtime is named " + defaultHandler);
    }
  }

  /**
   * The OCI runtime for a pod's runtime_handler.
   *
   * @throws InvalidRequestException if none has this name
   */
  public RuntimeHandler handler(String name) {
    RuntimeHandler handler = handlers.get(name.isEmpty() ? defaultHandler : name);
    if (handler == null) {
      throw new InvalidRequestException(
          "no runtime for \""
              + name
              + "\" is configured; there are: "
              + String.join(", ", handlers.keySet()));
    }
    return handler;
  }

  /** The same for a pod that exists: its runtime may have left the configuration since. */
  RuntimeHandler handlerOrDefault(String name) {
    return handlers.getOrDefault(
        name, Objects.requireNonNull(handlers.get(defaultHandler), "checked when made"));
  }

  Path sandboxState(String sandboxId) {
    return state.resolve("sandboxes").resolve(sandboxId);
  }

  Path bundle(String containerId) {
    return state.resolve("containers").resolve(containerId);
  }

  /** Where the checkpoint lies that a container is to be restored from. */
  Path restore(String containerId) {
    return restores().resolve(containerId);
  }

  Path restores() {
    return root.resolve("restores");
  }

  Path exitFile(String containerId) {
    return exitDirectory().resolve(containerId);
  }

  /** The folder that receives a file for each container that ends. */
  public Path exitDirectory() {
    return state.resolve("exits");
  }
}
