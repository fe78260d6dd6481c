package io.keelson.sandbox.port;

import io.keelson.linux.ProcessId;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * Starts and ends the processes of a container. One implementation: an OCI runtime under conmon, so
 * that a container, its log and its exit code outlive the daemon.
 *
 * <p>Calls for one container never overlap (the caller holds its lock), except {@link #exec},
 * {@link #openExec}, {@link #attach} and {@link #reopenLog}, which may come at any time while it
 * runs. Implementations are safe for use by many threads.
 */
public interface Launcher {

  /**
   * Makes the container from its bundle: namespaces, cgroup and init process exist when it returns,
   * the workload does not run yet. The processes of a container that is restored run already, and
   * {@link #start} is not for it.
   *
   * @throws io.keelson.sandbox.error.OperationFailedException with the runtime's own words; nothing
   *     is left
   */
  Launched create(LaunchRequest request) throws IOException;

  /** Lets the workload of a created container run. */
  void start(String containerId, RuntimeHandler handler) throws IOException;

  /**
   * What became of a launch that the daemon did not see end, because it was killed in between: the
   * processes if they exist (waiting for a launch still in flight), else empty.
   */
  Optional<Launched> find(LaunchRequest request) throws IOException;

  /** True if the workload of this container was let run (it may have ended since). */
  boolean isStarted(String containerId, RuntimeHandler handler) throws IOException;

  /**
   * True if the container's monitor saw the kernel kill one of its processes for want of memory.
   * Unlike the cgroup, which systemd removes as soon as it is empty, this is still known when the
   * container has ended, until {@link #delete}.
   */
  boolean wasShortOfMemory(LaunchRequest request);

  /**
   * Kills what is left of the container and removes the runtime's state and the container's cgroup.
   * Harmless if there is nothing.
   */
  void delete(LaunchRequest request) throws IOException;

  /**
   * Runs a command in the running container and waits for its end. If the calling thread is
   * interrupted meanwhile, the command and all that it started are killed.
   *
   * @param process the process object of the OCI runtime spec, as JSON
   * @param timeout zero for none
   * @throws io.keelson.sandbox.error.DeadlineExceededException after {@code timeout}; the command
   *     and all that it started are dead then
   * @throws java.io.InterruptedIOException if the calling thread was interrupted
   */
  ExecResult exec(String containerId, RuntimeHandler handler, byte[] process, Duration timeout)
      throws IOException;

  /**
   * Starts a command in the running container for somebody who talks to it. It goes on when its
   * streams are closed, unless that ends it.
   *
   * @param process the process object of the OCI runtime spec, as JSON; its {@code terminal} must
   *     be as {@code wanted} says
   */
  ExecSession openExec(
      String containerId, RuntimeHandler handler, byte[] process, ExecSession.Wanted wanted)
      throws IOException;

  /**
   * Connects to the standard streams of a running container's workload. Any number of callers may
   * be connected; all get the output from then on, and the log goes on. A caller who takes nothing
   * for long while there is output is cut off, so that the workload need not wait for it.
   */
  ProcessStreams attach(LaunchRequest request) throws IOException;

  /** Makes the log writer close its file and open it anew by name, after a rotation. */
  void reopenLog(LaunchRequest request) throws IOException;

  /** Applies the {@code linux.resources} object (OCI runtime spec, JSON) to a running container. */
  void update(String containerId, RuntimeHandler handler, byte[] resources) throws IOException;

  /**
   * What this handler's containers lack to be checkpointed and restored, in words for people; empty
   * if they can be.
   */
  Optional<String> missingForCheckpoints(RuntimeHandler handler) throws IOException;

  /** Freezes all processes of a running container. */
  void pause(String containerId, RuntimeHandler handler) throws IOException;

  /** Lets a paused container run on; harmless if it is not paused. */
  void resume(String containerId, RuntimeHandler handler) throws IOException;

  /**
   * Writes the processes of a running or paused container to files, memory and all. They are left
   * as they were, also if it fails.
   *
   * @param images receives the images; made if it is not there
   * @param logs a folder that receives the files {@code dump.log} and {@code stats-dump}
   * @param timeout after which it is given up
   * @throws io.keelson.sandbox.error.DeadlineExceededException after {@code timeout}
   * @throws io.keelson.sandbox.error.OperationFailedException with what CRIU says
   */
  void checkpoint(
      String containerId, RuntimeHandler handler, Path images, Path logs, Duration timeout)
      throws IOException;

  /**
   * Waits until nobody writes to {@code images} any more: a checkpoint that an earlier life of the
   * daemon began goes on without it, and its end must not be forced, since the processes are held
   * by it.
   */
  void awaitCheckpoint(Path images) throws IOException;

  /** The processes of a launched container: its init, and the monitor that waits for it. */
  record Launched(ProcessId init, ProcessId monitor) {}

  /**
   * What a command in a container printed and how it ended. At most 16 MiB of each stream is kept.
   */
  record ExecResult(int exitCode, byte[] stdout, byte[] stderr) {}
}
