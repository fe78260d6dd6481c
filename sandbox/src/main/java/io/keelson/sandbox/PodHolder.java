package io.keelson.sandbox;

import io.keelson.linux.ProcessId;
import io.keelson.sandbox.port.PodContext;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The process that holds the PID namespace which the containers of a pod share. Only pods that
 * share one have it.
 */
public interface PodHolder {

  /**
   * Starts the holder of a pod, or finds the one that an earlier call started.
   *
   * @param cgroup where it belongs, as in {@link io.keelson.sandbox.port.ContainerContext#cgroup}
   */
  ProcessId start(PodContext pod, String cgroup) throws IOException;

  /**
   * Ends the holder and with it every process of its namespace. Harmless, and cheap, if there is
   * none.
   */
  void stop(String sandboxId, Path stateDirectory) throws IOException;
}
