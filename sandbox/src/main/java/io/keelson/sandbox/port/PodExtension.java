package io.keelson.sandbox.port;

import io.keelson.proto.cri.v1.LinuxContainerResources;
import java.io.IOException;
import java.util.Collection;

/**
 * What an adapter does for a whole pod: a NIC that is lent to it, volumes that its containers
 * share, plugins that have a say in it. The core calls all extensions in a fixed order at the
 * making of a pod, in the reverse order at its end; calls for one pod hold that pod's lock, calls
 * for different pods come in parallel.
 */
public interface PodExtension {

  /**
   * RunPodSandbox: namespaces and network are there, the pod is not ready and no caller can see it
   * yet. A failure fails the call; then {@link #stop} and {@link #remove} follow, for this
   * extension and for those before it.
   */
  default void run(PodContext pod) throws IOException {}

  /**
   * UpdatePodSandboxResources: a failure refuses the change.
   *
   * @param overhead of the sandbox itself, beside its containers
   * @param resources of the pod's containers together
   */
  default void update(
      PodContext pod, LinuxContainerResources overhead, LinuxContainerResources resources)
      throws IOException {}

  /** The resources of {@link #update} are in force; that can't be failed any more. */
  default void updated(PodContext pod) {}

  /**
   * StopPodSandbox: the containers have ended, network and namespaces are still there (after a
   * reboot they are not). Harmless when done twice or without {@link #run}; a failure fails the
   * call, and the caller tries again.
   */
  default void stop(PodContext pod) throws IOException {}

  /**
   * RemovePodSandbox: the containers are removed, the pod's record goes next. Harmless when done
   * twice or without {@link #run}.
   */
  default void remove(PodContext pod) throws IOException {}

  /**
   * The daemon has started again: these pods exist, and what belongs to no other may go. Comes
   * before any other call, also before those that finish what was half done.
   */
  default void recover(Collection<PodContext> known) throws IOException {}
}
