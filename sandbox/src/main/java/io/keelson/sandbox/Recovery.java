package io.keelson.sandbox;

import io.keelson.linux.NamespaceType;
import io.keelson.proto.record.v1.ContainerPhase;
import io.keelson.proto.record.v1.ContainerRecord;
import io.keelson.proto.record.v1.SandboxPhase;
import io.keelson.proto.record.v1.SandboxRecord;
import io.keelson.sandbox.RecordStore.Durability;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.port.LaunchRequest;
import io.keelson.sandbox.port.Launcher;
import io.keelson.sandbox.port.PodContext;
import io.keelson.sandbox.port.PodExtension;
import io.keelson.sandbox.port.PodNetwork;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a start does before it serves: reads the records, takes over what runs, learns of exits that
 * came meanwhile, finishes or undoes what was half done, and clears away what belongs to nobody.
 * What can't be mended is logged and stays to be stopped and removed by a caller; a start is never
 * refused for it.
 */
final class Recovery {

  private static final Logger LOG = LoggerFactory.getLogger(Recovery.class);

  private final Core core;
  private final Contexts contexts;
  private final ExitRecorder exits;
  private final StopPod stopPod;
  private final RemoveContainer removeContainer;

  Recovery(
      Core core,
      Contexts contexts,
      ExitRecorder exits,
      StopPod stopPod,
      RemoveContainer removeContainer) {
    this.core = core;
    this.contexts = contexts;
    this.exits = exits;
    this.stopPod = stopPod;
    this.removeContainer = removeContainer;
  }

  void run() throws IOException {
    long began = System.nanoTime();
    loadPods();
    loadContainers();
    recoverPodExtensions();
    each(List.copyOf(core.containers().all()), this::recoverContainer);
    CheckpointWork.recover(core);
    each(List.copyOf(core.pods().all()), this::recoverPod);
    recoverPorts();
    new StraySweep(core).run();
    LOG.atInfo()
        .addKeyValue("pods", core.pods().all().size())
        .addKeyValue("containers", core.containers().all().size())
        .addKeyValue("milliseconds", (System.nanoTime() - began) / 1_000_000)
        .log("recovery has ended");
  }

  private void loadPods() throws IOException {
    RecordStore.Found<SandboxRecord> found = core.podRecords().loadAll();
    found.whole().values().forEach(record -> core.pods().put(record.getId(), new PodEntry(record)));
    found
        .broken()
        .forEach(
            (id, why) ->
                LOG.atWarn()
                    .addKeyValue("pod", id)
                    .addKeyValue("why", why)
                    .log("dropping a broken record"));
  }

  private void loadContainers() throws IOException {
    RecordStore.Found<ContainerRecord> found = core.containerRecords().loadAll();
    found
        .whole()
        .values()
        .forEach(
            record -> {
              if (core.pods().find(record.getSandboxId()).isPresent()) {
                core.containers().put(new ContainerEntry(record));
                recallOomKills(record);
              } else {
                LOG.atWarn()
                    .addKeyValue("container", record.getId())
                    .log("dropping a container without a pod");
              }
            });
    found
        .broken()
        .forEach(
            (id, why) ->
                LOG.atWarn()
                    .addKeyValue("container", id)
                    .addKeyValue("why", why)
                    .log("dropping a broken record"));
  }

  private void recallOomKills(ContainerRecord record) {
    if (record.getBootId().equals(core.bootId())) {
      core.cgroups().recall(record.getCgroup(), record.getOomKillsTold());
    }
  }

  private void recoverPodExtensions() {
    List<PodContext> known =
        core.pods().all().stream().map(pod -> pod.context(core.settings())).toList();
    for (PodExtension extension : core.podExtensions()) {
      try {
        extension.recover(known);
      } catch (IOException | KeelsonException e) {
        LOG.atError().setCause(e).log("an extension of pods could not recover");
      }
    }
  }

  private interface Work<T> {
    void run(T one) throws IOException;
  }

  private static <T> void each(Collection<T> all, Work<T> work) {
    Consumer<T> guarded =
        one -> {
          try {
            work.run(one);
          } catch (IOException | RuntimeException e) {
            LOG.atError().setCause(e).log("a pod or container could not be recovered whole");
          }
        };
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      all.forEach(one -> executor.execute(() -> guarded.accept(one)));
    }
  }

  private void recoverContainer(ContainerEntry container) throws IOException {
    ContainerRecord record = container.record();
    if (!record.getBootId().equals(core.bootId())) {
      afterReboot(container);
      return;
    }
    LaunchRequest request = contexts.launchRequest(container);
    container.launched(Files.exists(request.handler().root().resolve(container.id())));
    switch (record.getPhase()) {
      case CONTAINER_PHASE_CREATING, CONTAINER_PHASE_REMOVING -> {
        container.launched(true);
        removeContainer.remove(container);
      }
      case CONTAINER_PHASE_STARTING -> recoverStart(container, request);
      case CONTAINER_PHASE_RUNNING -> takeOver(container, launched(record));
      case CONTAINER_PHASE_EXITED -> {
        if (container.launched()) {
          core.launcher().delete(request);
          container.launched(false);
        }
      }
      case CONTAINER_PHASE_CREATED, UNRECOGNIZED -> {}
    }
  }

  private void afterReboot(ContainerEntry container) throws IOException {
    switch (container.phase()) {
      case CONTAINER_PHASE_CREATING, CONTAINER_PHASE_REMOVING -> removeContainer.remove(container);
      case CONTAINER_PHASE_STARTING, CONTAINER_PHASE_RUNNING ->
          core.save(
              container,
              container.record().toBuilder()
                  .setPhase(ContainerPhase.CONTAINER_PHASE_EXITED)
                  .setExitCode(ExitRecorder.UNKNOWN)
                  .setReason("Unknown")
                  .setMessage("the node was started anew while the container ran")
                  .setFinishedAt(Core.now())
                  .clearInit()
                  .clearMonitor()
                  .build(),
              Durability.POWER);
      case CONTAINER_PHASE_CREATED, CONTAINER_PHASE_EXITED, UNRECOGNIZED -> {}
    }
  }

  /**
   * The daemon ended within StartContainer: if the workload was let run it counts as started, else
   * as not.
   */
  private void recoverStart(ContainerEntry container, LaunchRequest request) throws IOException {
    Optional<Launcher.Launched> found = core.launcher().find(request);
    if (core.launcher().isStarted(container.id(), request.handler())) {
      container.launched(true);
      ContainerRecord.Builder running =
          container.record().toBuilder()
              .setPhase(ContainerPhase.CONTAINER_PHASE_RUNNING)
              .setStartedAt(Core.now());
      found.ifPresent(
          launched ->
              running
                  .setInit(Processes.toRecord(launched.init()))
                  .setMonitor(Processes.toRecord(launched.monitor())));
      core.save(container, running.build(), Durability.POWER);
      if (request.restoreFrom().isPresent()) {
        PodFiles.setHostname(contexts.of(container).pod());
      }
      takeOver(container, found);
      return;
    }
    core.launcher().delete(request);
    container.launched(false);
    Files.deleteIfExists(request.exitFile());
    core.save(
        container,
        container.record().toBuilder().setPhase(ContainerPhase.CONTAINER_PHASE_CREATED).build(),
        Durability.DAEMON);
  }

  private void takeOver(ContainerEntry container, Optional<Launcher.Launched> launched) {
    LOG.atInfo().addKeyValue("container", container.id()).log("taking over a container");
    container.launched(true);
    exits.watch(container, launched);
  }

  private static Optional<Launcher.Launched> launched(ContainerRecord record) {
    return record.hasInit() && record.hasMonitor()
        ? Optional.of(
            new Launcher.Launched(
                Processes.fromRecord(record.getInit()), Processes.fromRecord(record.getMonitor())))
        : Optional.empty();
  }

  private void recoverPod(PodEntry pod) throws IOException {
    if (pod.isReady() && !namespacesAreThere(pod)) {
      LOG.atWarn().addKeyValue("pod", pod.id()).log("the pod's namespaces are gone: stopping it");
      core.save(
          pod,
          pod.record().toBuilder().setPhase(SandboxPhase.SANDBOX_PHASE_STOPPING).build(),
          Durability.DAEMON);
    }
    if (!pod.isReady() && pod.phase() != SandboxPhase.SANDBOX_PHASE_STOPPED) {
      stopPod.finish(pod);
    }
  }

  private boolean namespacesAreThere(PodEntry pod) {
    return pod.record().getBootId().equals(core.bootId())
        && PodEntry.pins(core.settings(), pod.id(), pod.config()).values().stream()
            .allMatch(Files::exists);
  }

  private void recoverPorts() throws IOException {
    core.network()
        .recover(
            core.pods().all().stream()
                .filter(pod -> pod.phase() != SandboxPhase.SANDBOX_PHASE_STOPPED)
                .map(this::networkPod)
                .flatMap(Optional::stream)
                .toList());
    core.provisioner().recover(core.containers().all().stream().map(ContainerEntry::id).toList());
    List<ContainerContext> known = core.containers().all().stream().map(contexts::of).toList();
    for (Isolator isolator : core.isolators()) {
      try {
        isolator.recover(known);
      } catch (IOException | KeelsonException e) {
        LOG.atError().setCause(e).log("an isolator could not recover");
      }
    }
  }

  private Optional<PodNetwork.Pod> networkPod(PodEntry pod) {
    Path netns = PodEntry.pins(core.settings(), pod.id(), pod.config()).get(NamespaceType.NET);
    return netns == null
        ? Optional.empty()
        : Optional.of(
            new PodNetwork.Pod(
                pod.id(),
                Optional.of(netns).filter(Files::exists),
                pod.config(),
                pod.record().getRuntimeHandler()));
  }
}
