package io.keelson.runtime.nri;

import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.ContainerStatus;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.proto.nri.v1alpha1.PodSandbox;
import io.keelson.proto.nri.v1alpha1.PostUpdatePodSandboxRequest;
import io.keelson.proto.nri.v1alpha1.RemovePodSandboxRequest;
import io.keelson.proto.nri.v1alpha1.RunPodSandboxRequest;
import io.keelson.proto.nri.v1alpha1.StopPodSandboxRequest;
import io.keelson.proto.nri.v1alpha1.UpdatePodSandboxRequest;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.PodContext;
import io.keelson.sandbox.port.PodExtension;
import java.util.Collection;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Takes the turns of pods to plugins. A refusal fails the making and the change of a pod; its end
 * goes on whatever plugins say.
 */
final class NriPods implements PodExtension {

  private final Plugins plugins;
  private final NriContainers containers;
  private final Supplier<NodeAccess> node;

  NriPods(Plugins plugins, NriContainers containers, Supplier<NodeAccess> node) {
    this.plugins = plugins;
    this.containers = containers;
    this.node = node;
  }

  /** What a plugin that connects now is told of a pod whose cell is locked. */
  Optional<PodSandbox> describe(Cell<PodContext> cell) {
    return node.get().isStopped(cell.id())
        ? Optional.empty()
        : Optional.of(PodMessages.of(cell.context()));
  }

  @Override
  public void run(PodContext pod) {
    Plugins.Opened<PodContext> opened = plugins.open(pod);
    if (opened.plugins().isEmpty()) {
      return;
    }
    opened.cell().lock().lock();
    try {
      RunPodSandboxRequest request =
          RunPodSandboxRequest.newBuilder().setPod(PodMessages.of(pod)).build();
      for (Plugin plugin : opened.plugins()) {
        plugin.know(pod.id());
        var _ = Relay.ask(plugin, PluginCall.RUN_POD, request);
      }
    } finally {
      opened.cell().lock().unlock();
    }
  }

  @Override
  public void update(
      PodContext pod, LinuxContainerResources overhead, LinuxContainerResources resources) {
    plugins
        .pod(pod.id())
        .filter(_ -> !plugins.all().isEmpty())
        .ifPresent(
            cell ->
                locked(
                    cell,
                    () ->
                        Relay.askAll(
                            plugins.all(),
                            pod.id(),
                            PluginCall.UPDATE_POD,
                            UpdatePodSandboxRequest.newBuilder()
                                .setPod(PodMessages.of(pod))
                                .setOverheadLinuxResources(Resources.ofCri(overhead))
                                .setLinuxResources(Resources.ofCri(resources))
                                .build())));
  }

  @Override
  public void updated(PodContext pod) {
    plugins
        .pod(pod.id())
        .ifPresent(
            cell -> {
              cell.context(pod);
              if (!plugins.all().isEmpty()) {
                locked(
                    cell,
                    () ->
                        Relay.tellAll(
                            plugins.all(),
                            pod.id(),
                            PluginCall.POST_UPDATE_POD,
                            PostUpdatePodSandboxRequest.newBuilder()
                                .setPod(PodMessages.of(pod))
                                .build()));
              }
            });
  }

  /** Once for a pod, after its containers' ends, also if stopping it is tried again. */
  @Override
  public void stop(PodContext pod) {
    Optional<Cell<PodContext>> found = plugins.pod(pod.id());
    if (found.isEmpty()) {
      return;
    }
    Cell<PodContext> cell = found.get();
    if (!plugins.all().isEmpty()) {
      plugins.containersOf(pod.id()).stream()
          .filter(container -> hasExited(container))
          .forEach(container -> containers.ended(container.context()));
    }
    locked(
        cell,
        () -> {
          if (!cell.ended()) {
            cell.setEnded();
            if (!plugins.all().isEmpty()) {
              Relay.tellAll(
                  plugins.all(),
                  pod.id(),
                  PluginCall.STOP_POD,
                  StopPodSandboxRequest.newBuilder().setPod(PodMessages.of(pod)).build());
            }
          }
        });
  }

  private boolean hasExited(Cell<ContainerContext> container) {
    return node.get()
        .status(container.id())
        .map(ContainerStatus::getState)
        .filter(state -> state == ContainerState.CONTAINER_EXITED)
        .isPresent();
  }

  @Override
  public void remove(PodContext pod) {
    plugins
        .pod(pod.id())
        .ifPresent(
            cell ->
                locked(
                    cell,
                    () -> {
                      if (!cell.removed()) {
                        cell.setRemoved();
                        if (!plugins.all().isEmpty()) {
                          Relay.tellAll(
                              plugins.all(),
                              pod.id(),
                              PluginCall.REMOVE_POD,
                              RemovePodSandboxRequest.newBuilder()
                                  .setPod(PodMessages.of(pod))
                                  .build());
                        }
                        plugins.removePod(pod.id());
                      }
                    }));
  }

  @Override
  public void recover(Collection<PodContext> known) {
    known.forEach(plugins::open);
  }

  private static void locked(Cell<PodContext> cell, Runnable work) {
    cell.lock().lock();
    try {
      work.run();
    } finally {
      cell.lock().unlock();
    }
  }
}
