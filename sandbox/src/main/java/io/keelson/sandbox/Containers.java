package io.keelson.sandbox;

import com.google.protobuf.ByteString;
import io.keelson.linux.ProcessId;
import io.keelson.proto.cri.v1.Container;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.ContainerFilter;
import io.keelson.proto.cri.v1.ContainerStatusResponse;
import io.keelson.proto.cri.v1.ExecSyncResponse;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.proto.record.v1.ContainerPhase;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.port.ExecSession;
import io.keelson.sandbox.port.LaunchRequest;
import io.keelson.sandbox.port.Launcher;
import io.keelson.sandbox.port.ProcessStreams;
import io.keelson.sandbox.spec.SpecResources;
import io.keelson.sandbox.spec.StoredSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The containers of this node (CRI v1, the Container calls of RuntimeService). Safe for use by many
 * threads: changes of one container come one after another, status and list answer from memory and
 * wait for nobody. Wherever an id is asked for, a unique prefix of it will do.
 */
public final class Containers {

  private final Core core;
  private final Contexts contexts;
  private final CreateContainer createContainer;
  private final StartContainer startContainer;
  private final StopContainer stopContainer;
  private final RemoveContainer removeContainer;
  private final UpdateContainer updateContainer;
  private final ContainerViews views;

  Containers(
      Core core,
      Contexts contexts,
      CreateContainer createContainer,
      StartContainer startContainer,
      StopContainer stopContainer,
      RemoveContainer removeContainer,
      ContainerViews views) {
    this.core = core;
    this.contexts = contexts;
    this.createContainer = createContainer;
    this.startContainer = startContainer;
    this.stopContainer = stopContainer;
    this.removeContainer = removeContainer;
    this.updateContainer = new UpdateContainer(core, contexts);
    this.views = views;
  }

  /**
   * Makes a container in a ready pod. A request that was made before (same metadata and
   * configuration) joins the one under way or answers the container that it made.
   *
   * @return the container's id
   */
  public String create(String podSandboxId, ContainerConfig config) throws IOException {
    return createContainer.create(podSandboxId, config);
  }

  /** Lets the workload run. Harmless if it runs already. */
  public void start(String id) throws IOException {
    startContainer.start(id);
  }

  /**
   * Ends the workload: its stop signal, then after {@code grace} SIGKILL. Harmless if it does not
   * run or is unknown.
   */
  public void stop(String id, Duration grace) throws IOException {
    stopContainer.stop(id, grace);
  }

  /**
   * Kills a container that has broken a rule of the node.
   *
   * @param reason in one word; its status tells it
   * @param message what it did, for people; its status tells it, too
   */
  public void end(String id, String reason, String message) throws IOException {
    Optional<ContainerEntry> container = core.containers().find(id);
    if (container.isPresent()) {
      container.get().verdict(new ContainerEntry.Verdict(reason, message));
      stopContainer.stop(id, Duration.ZERO);
    }
  }

  /** Kills and deletes a container; its log stays. Harmless if unknown. */
  public void remove(String id) throws IOException {
    removeContainer.remove(id);
  }

  /**
   * @param verbose adds {@code info} for people
   * @throws io.keelson.sandbox.error.NotFoundException for an unknown id
   */
  public ContainerStatusResponse status(String id, boolean verbose) {
    ContainerEntry container = core.containers().get(id);
    ContainerStatusResponse.Builder response =
        ContainerStatusResponse.newBuilder().setStatus(views.status(container));
    if (verbose) {
      response.putAllInfo(Map.of("info", InfoJson.write(views.details(container))));
    }
    return response.build();
  }

  /** Newest first. */
  public List<Container> list(ContainerFilter filter) {
    return views.list(filter);
  }

  /** As {@link #list}, each {@link Container} serialised: fast, for who only sends it on. */
  public List<ByteString> listSerialized(ContainerFilter filter) {
    return views.listSerialized(filter);
  }

  /**
   * Runs a command in a running container and waits for its end.
   *
   * @param timeout zero for none
   * @throws io.keelson.sandbox.error.DeadlineExceededException after {@code timeout}; the command
   *     and all that it started are dead then
   */
  public ExecSyncResponse execSync(String id, List<String> command, Duration timeout)
      throws IOException {
    ContainerEntry container = running(id, "exec");
    LaunchRequest launch = contexts.launchRequest(container);
    byte[] process = process(launch, command, false);
    Launcher.ExecResult result;
    try {
      result = core.launcher().exec(container.id(), launch.handler(), process, timeout);
    } catch (OperationFailedException e) {
      throw unlessEnded(container, e);
    }
    return ExecSyncResponse.newBuilder()
        .setExitCode(result.exitCode())
        .setStdout(ByteString.copyFrom(result.stdout()))
        .setStderr(ByteString.copyFrom(result.stderr()))
        .build();
  }

  /** Starts a command in a running container for somebody who talks to it. */
  public ExecSession openExec(String id, List<String> command, ExecSession.Wanted wanted)
      throws IOException {
    ContainerEntry container = running(id, "exec");
    LaunchRequest launch = contexts.launchRequest(container);
    byte[] process = process(launch, command, wanted.terminal());
    try {
      return core.launcher().openExec(container.id(), launch.handler(), process, wanted);
    } catch (OperationFailedException e) {
      throw unlessEnded(container, e);
    }
  }

  /**
   * Why a command could not be run. What the runtime stumbles over in a container that ends at that
   * moment (a namespace, a file of its own that is gone) says nothing to who probes it.
   */
  private static KeelsonException unlessEnded(
      ContainerEntry container, OperationFailedException e) {
    boolean runs =
        container.phase() == ContainerPhase.CONTAINER_PHASE_RUNNING
            && container.init().filter(ProcessId::canBeEntered).isPresent();
    return runs
        ? e
        : new FailedPreconditionException(
            "exec needs a running container; %s has ended meanwhile".formatted(container.id()), e);
  }

  /** Connects to the standard streams of a running container's workload, which goes on after. */
  public ProcessStreams attach(String id) throws IOException {
    return core.launcher().attach(contexts.launchRequest(running(id, "attach")));
  }

  /**
   * The whole id of a container that runs now.
   *
   * @param what needs it, for the message if it does not run
   * @throws io.keelson.sandbox.error.NotFoundException for an unknown id
   * @throws FailedPreconditionException if it does not run
   */
  public String requireRunning(String id, String what) {
    return running(id, what).id();
  }

  private static byte[] process(LaunchRequest launch, List<String> command, boolean terminal)
      throws IOException {
    if (command.isEmpty()) {
      throw new InvalidRequestException("the exec has no command");
    }
    Path spec = launch.bundle().resolve(CreateContainer.SPEC_FILE);
    return new StoredSpec(Files.readAllBytes(spec)).execProcess(command, terminal);
  }

  /** Opens the log anew after a rotation. */
  public void reopenLog(String id) throws IOException {
    core.launcher().reopenLog(contexts.launchRequest(running(id, "reopening the log")));
  }

  /** Changes the resources that {@code change} names; the others stay. */
  public void update(String id, LinuxContainerResources change) throws IOException {
    updateContainer.update(id, change);
  }

  /**
   * Changes resources as an adapter decided: no isolator is asked to {@link
   * io.keelson.sandbox.port.Isolator#revise revise} it.
   *
   * @param more sets limits that CRI has no word for
   * @param patience how long to wait for another change of this container
   * @throws io.keelson.sandbox.error.UnavailableException after {@code patience}
   */
  public void adjust(
      String id, LinuxContainerResources change, Consumer<SpecResources> more, Duration patience)
      throws IOException {
    updateContainer.adjust(id, change, more, patience);
  }

  /** The init process of a container that runs. */
  public Optional<ProcessId> init(String id) {
    return core.containers()
        .find(id)
        .filter(container -> container.phase() == ContainerPhase.CONTAINER_PHASE_RUNNING)
        .flatMap(ContainerEntry::init);
  }

  private ContainerEntry running(String id, String what) {
    ContainerEntry container = core.containers().get(id);
    if (container.phase() != ContainerPhase.CONTAINER_PHASE_RUNNING) {
      throw new FailedPreconditionException(
          "%s needs a running container; %s is %s"
              .formatted(what, container.id(), container.phaseText()));
    }
    return container;
  }
}
