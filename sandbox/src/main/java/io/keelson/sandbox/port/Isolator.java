package io.keelson.sandbox.port;

import io.keelson.linux.ProcessId;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.sandbox.spec.SpecBuilder;
import java.io.IOException;
import java.util.Collection;

/**
 * One aspect of isolation. The core runs all isolators in a fixed order for every container; calls
 * that change one container never overlap, calls for different containers come in parallel. What
 * only tells of something that has happened ({@link #created}, {@link #started}, {@link #updated},
 * {@link #ended}) can't fail it any more.
 */
public interface Isolator {

  /**
   * Shapes the root file system before it is made; {@link ContainerContext#rootfs} is where it will
   * be. Comes before {@link #prepare}.
   */
  default RootOptions root(ContainerContext container, RootOptions options) throws IOException {
    return options;
  }

  /**
   * Shapes the OCI spec before the container is created. What it makes outside of the spec it
   * undoes in {@link #cleanup}, which comes also if this call throws.
   */
  void prepare(ContainerContext container, SpecBuilder spec) throws IOException;

  /** The container is recorded and callers can see it. */
  default void created(ContainerContext container) {}

  /**
   * The container is about to be started: the last moment to change the config.json in its bundle.
   */
  default void launching(ContainerContext container) throws IOException {}

  /** The init process exists, the workload does not run yet. */
  default void isolate(ContainerContext container, ProcessId init) throws IOException {}

  /** The workload was let run; it may have ended since. */
  default void started(ContainerContext container) {}

  /**
   * A caller asks for other resources: may ask for others in its place, or refuse. Comes before
   * {@link #update}, and holds no lock that another container's change could wait for.
   *
   * @param change what it names is to change, the rest stays
   * @param spec the one that {@link #update} will get, for limits that CRI has no word for
   * @return what is to change
   */
  default LinuxContainerResources revise(
      ContainerContext container, LinuxContainerResources change, SpecBuilder spec)
      throws IOException {
    return change;
  }

  /** The resources of a container change; {@code spec} holds what will be written. */
  default void update(
      ContainerContext container, LinuxContainerResources resources, SpecBuilder spec)
      throws IOException {}

  /** What a caller asked for by {@link #revise} is in force. */
  default void updated(ContainerContext container) {}

  /**
   * The workload has ended, or could not be started, and this is recorded. A container that never
   * was started, or that ended while the daemon did not run, may go to {@link #cleanup} without.
   */
  default void ended(ContainerContext container) {}

  /**
   * The daemon has started again: these containers exist, and whatever belongs to no other may go.
   */
  default void recover(Collection<ContainerContext> known) throws IOException {}

  /**
   * Comes once for each container, at its removal, also when {@link #prepare} failed or never ran.
   */
  default void cleanup(ContainerContext container) throws IOException {}
}
