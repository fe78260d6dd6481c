package io.keelson.sandbox;

import io.keelson.linux.cgroup.Cgroups;
import io.keelson.sandbox.event.EventHub;
import io.keelson.sandbox.isolator.PidTargets;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.port.Launcher;
import io.keelson.sandbox.port.PlainArchives;
import io.keelson.sandbox.port.PodExtension;
import io.keelson.sandbox.port.PodNetwork;
import io.keelson.sandbox.port.Provisioner;
import io.keelson.sandbox.stats.Stats;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;

/**
 * The core of a node: its pods and its containers, over the ports that it is given. One for each
 * pair of root and state folders.
 */
public final class NodeRuntime {

  /** Makes the isolators, once the core can tell them of its containers. */
  @FunctionalInterface
  public interface IsolatorFactory {
    List<Isolator> create(PidTargets targets) throws IOException;
  }

  private final Pods pods;
  private final Containers containers;
  private final Checkpoints checkpoints;
  private final Recovery recovery;
  private final EventHub events = new EventHub();
  private final Stats stats;

  /**
   * Reads and changes nothing yet but its folders, which it makes.
   *
   * @param isolators makes the isolators, in the order in which they shape a container
   * @param podExtensions in the order in which they are asked at the making of a pod
   */
  public NodeRuntime(
      SandboxSettings settings,
      Launcher launcher,
      ExitSource exitSource,
      PodHolder holder,
      IsolatorFactory isolators,
      List<PodExtension> podExtensions,
      Provisioner provisioner,
      PlainArchives archives,
      PodNetwork network,
      Cgroups cgroups,
      FaultPoints faults)
      throws IOException {
    for (String folder : List.of("sandboxes", "containers")) {
      Files.createDirectories(settings.state().resolve(folder));
    }
    Files.createDirectories(settings.exitDirectory());
    Files.createDirectories(settings.restores());
    Core core =
        new Core(
            settings,
            launcher,
            isolators,
            podExtensions,
            provisioner,
            network,
            cgroups,
            holder,
            faults,
            events);
    Contexts contexts = new Contexts(core);
    ExitRecorder exits = new ExitRecorder(core, contexts, exitSource);
    StopContainer stopContainer = new StopContainer(core);
    RemoveContainer removeContainer = new RemoveContainer(core, contexts, stopContainer, exits);
    StopPod stopPod = new StopPod(core, stopContainer, removeContainer);
    ContainerViews containerViews = new ContainerViews(core);
    RunPod runPod = new RunPod(core, stopPod);
    CaptureContainers capture = new CaptureContainers(core, contexts);
    CreateContainer createContainer =
        new CreateContainer(core, removeContainer, new ContainerOrigins(core, capture, archives));
    this.pods =
        new Pods(core, runPod, new UpdatePod(core), stopPod, new PodViews(core, containerViews));
    this.containers =
        new Containers(
            core,
            contexts,
            createContainer,
            new StartContainer(core, contexts, exits),
            stopContainer,
            removeContainer,
            containerViews);
    this.checkpoints =
        new Checkpoints(
            new TakeCheckpoint(core, capture, archives),
            new RestorePod(core, runPod, createContainer, stopPod, capture));
    this.stats = new Stats(new StatsSubjects(core), cgroups, provisioner, settings.root());
    this.recovery = new Recovery(core, contexts, exits, stopPod, removeContainer);
  }

  /** Takes over what an earlier life of the daemon left; comes once, before any other call. */
  public void recover() throws IOException {
    recovery.run();
  }

  public Pods pods() {
    return pods;
  }

  public Containers containers() {
    return containers;
  }

  public Checkpoints checkpoints() {
    return checkpoints;
  }

  public Stats stats() {
    return stats;
  }

  /** Where one may listen to what happens to them. */
  public EventHub events() {
    return events;
  }
}
