package io.keelson.sandbox.port;

import io.keelson.linux.ProcessId;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.sandbox.spec.SpecBuilder;
import java.io.IOException;
import java.util.Collection;

/**
 * One aspect of isolation. The core runs all isolators in a fixed order for every container; each
 * call for one container holds that container's lock, calls for different containers come in
 * parallel.
 */
public interface Isolator {

  /**
   * Shapes the OCI spec before the container is created. What it makes outside of the spec it
   * undoes in {@link #cleanup}, which comes also if this call throws.
   */
  void prepare(ContainerContext container, SpecBuilder spec) throws IOException;

  /** The init process exists, the workload does not run yet. */
  default void isolate(ContainerContext container, ProcessId init) throws IOException {}

  /** The caller changed the resources of a container; {@code spec} holds what will be written. */
  default void update(
      ContainerContext container, LinuxContainerResources resources, SpecBuilder spec)
      throws IOException {}

  /**
   * The daemon has started again: these containers exist, and whatever belongs to no other may go.
   */
  default void recover(Collection<ContainerContext> known) throws IOException {}

  /**
   * Comes once for each container, at its removal, also when {@link #prepare} failed or never ran.
   */
  default void cleanup(ContainerContext container) throws IOException {}
}
