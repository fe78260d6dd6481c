package io.keelson.runtime.nri;

import io.keelson.linux.ProcessId;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.proto.nri.v1alpha1.Container;
import io.keelson.proto.nri.v1alpha1.ContainerState;
import io.keelson.proto.nri.v1alpha1.ContainerUpdate;
import io.keelson.proto.nri.v1alpha1.PodSandbox;
import io.keelson.proto.nri.v1alpha1.PostCreateContainerRequest;
import io.keelson.proto.nri.v1alpha1.PostStartContainerRequest;
import io.keelson.proto.nri.v1alpha1.PostUpdateContainerRequest;
import io.keelson.proto.nri.v1alpha1.RemoveContainerRequest;
import io.keelson.proto.nri.v1alpha1.StartContainerRequest;
import io.keelson.proto.nri.v1alpha1.StopContainerRequest;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.spec.SpecBuilder;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Takes the turns of containers to plugins; the last of the isolators, so that plugins see a
 * container as all others shaped it. A refusal fails the making, the start and the change of a
 * container; its end goes on whatever plugins say.
 */
final class NriContainers implements Isolator {

  private final Plugins plugins;
  private final Supplier<NodeAccess> node;
  private final Creation creation;
  private final Revision revision;

  NriContainers(Plugins plugins, Supplier<NodeAccess> node, Creation creation) {
    this.plugins = plugins;
    this.node = node;
    this.creation = creation;
    this.revision = new Revision();
  }

  /** What a plugin that connects now is told of a container whose cell is locked. */
  Optional<Container> describe(Cell<ContainerContext> cell) {
    NodeAccess access = node.get();
    ContainerState state =
        access
            .status(cell.id())
            .map(
                status ->
                    switch (status.getState()) {
                      case CONTAINER_CREATED -> ContainerState.CONTAINER_CREATED;
                      case CONTAINER_RUNNING -> ContainerState.CONTAINER_RUNNING;
                      case CONTAINER_EXITED -> ContainerState.CONTAINER_STOPPED;
                      case CONTAINER_UNKNOWN, UNRECOGNIZED -> ContainerState.CONTAINER_UNKNOWN;
                    })
            // Its making is told of, and is about to end.
            .orElse(ContainerState.CONTAINER_CREATED);
    return state == ContainerState.CONTAINER_STOPPED
        ? Optional.empty()
        : Optional.of(ContainerMessages.of(cell, access, state));
  }

  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) throws IOException {
    Plugins.Opened<ContainerContext> opened = plugins.open(container);
    creation.requirePlugins(container, opened.plugins());
    if (opened.plugins().isEmpty()) {
      return;
    }
    Cell<ContainerContext> cell = opened.cell();
    Updates updates;
    cell.lock().lock();
    try {
      updates = creation.ask(container, spec, opened.plugins());
    } finally {
      cell.lock().unlock();
    }
    settle(updates, "at the making of container " + container.id());
  }

  @Override
  public void created(ContainerContext container) {
    tell(
        container,
        ContainerState.CONTAINER_CREATED,
        (pod, described) ->
            Relay.tellAll(
                plugins.all(),
                container.id(),
                PluginCall.POST_CREATE,
                PostCreateContainerRequest.newBuilder()
                    .setPod(pod)
                    .setContainer(described)
                    .build()));
  }

  @Override
  public void isolate(ContainerContext container, ProcessId init) {
    tell(
        container,
        ContainerState.CONTAINER_CREATED,
        (pod, described) ->
            Relay.askAll(
                plugins.all(),
                container.id(),
                PluginCall.START,
                StartContainerRequest.newBuilder()
                    .setPod(pod)
                    .setContainer(described.toBuilder().setPid(init.pid()))
                    .build()));
  }

  @Override
  public void started(ContainerContext container) {
    tell(
        container,
        ContainerState.CONTAINER_RUNNING,
        (pod, described) ->
            Relay.tellAll(
                plugins.all(),
                container.id(),
                PluginCall.POST_START,
                PostStartContainerRequest.newBuilder()
                    .setPod(pod)
                    .setContainer(described)
                    .build()));
  }

  @Override
  public LinuxContainerResources revise(
      ContainerContext container, LinuxContainerResources change, SpecBuilder spec)
      throws IOException {
    Optional<Cell<ContainerContext>> cell = plugins.container(container.id());
    List<Plugin> asked = plugins.all();
    if (asked.isEmpty() || cell.isEmpty()) {
      return change;
    }
    Revision.Result result;
    cell.get().lock().lock();
    try {
      cell.get().context(container);
      result = revision.ask(cell.get(), node.get(), change, asked);
    } finally {
      cell.get().lock().unlock();
    }
    Resources.beyondCri(result.own(), spec.limits());
    settle(result.others(), "at the update of container " + container.id());
    return Resources.toCri(result.own());
  }

  @Override
  public void updated(ContainerContext container) {
    ContainerState state =
        node.get().pid(container.id()) == 0
            ? ContainerState.CONTAINER_CREATED
            : ContainerState.CONTAINER_RUNNING;
    tell(
        container,
        state,
        (pod, described) ->
            Relay.tellAll(
                plugins.all(),
                container.id(),
                PluginCall.POST_UPDATE,
                PostUpdateContainerRequest.newBuilder()
                    .setPod(pod)
                    .setContainer(described)
                    .build()));
  }

  /** Once for a container, whoever comes first: its exit, the stop of its pod, or its removal. */
  @Override
  public void ended(ContainerContext container) {
    plugins.container(container.id()).ifPresent(cell -> locked(cell, this::tellEnd));
  }

  /** Whoever holds the cell's lock may hold the container's too: updates come on their own. */
  private void tellEnd(Cell<ContainerContext> cell) {
    if (cell.ended()) {
      return;
    }
    cell.setEnded();
    List<Plugin> told = plugins.all();
    if (told.isEmpty()) {
      return;
    }
    Updates updates = new Updates(new Owners(), "");
    Relay.tellAll(
        told,
        cell.id(),
        PluginCall.STOP,
        StopContainerRequest.newBuilder()
            .setPod(PodMessages.of(cell.context().pod()))
            .setContainer(ContainerMessages.of(cell, node.get(), ContainerState.CONTAINER_STOPPED))
            .build(),
        (plugin, answer) -> updates.take(answer.getUpdateList(), List.of(), plugin.label()));
    List<ContainerUpdate> wanted = updates.updates();
    if (!wanted.isEmpty()) {
      Thread.ofVirtual()
          .name("nri-updates")
          .start(() -> node.get().apply(wanted, "at the end of container " + cell.id()));
    }
  }

  @Override
  public void cleanup(ContainerContext container) {
    plugins
        .container(container.id())
        .ifPresent(
            cell ->
                locked(
                    cell,
                    _ -> {
                      if (!cell.removed()) {
                        tellEnd(cell);
                        cell.setRemoved();
                        tellRemoval(cell);
                        plugins.removeContainer(cell.id());
                      }
                    }));
  }

  private void tellRemoval(Cell<ContainerContext> cell) {
    if (!plugins.all().isEmpty()) {
      Relay.tellAll(
          plugins.all(),
          cell.id(),
          PluginCall.REMOVE,
          RemoveContainerRequest.newBuilder()
              .setPod(PodMessages.of(cell.context().pod()))
              .setContainer(
                  ContainerMessages.of(cell, node.get(), ContainerState.CONTAINER_STOPPED))
              .build());
    }
  }

  @Override
  public void recover(Collection<ContainerContext> known) {
    known.forEach(plugins::open);
  }

  private void settle(Updates updates, String reason) {
    NodeAccess access = node.get();
    access.applyAll(updates.updates(), reason);
    access.evict(updates.evictions(), reason);
  }

  private interface Turn {
    void take(PodSandbox pod, Container container);
  }

  private void tell(ContainerContext container, ContainerState state, Turn turn) {
    if (plugins.all().isEmpty()) {
      return;
    }
    plugins
        .container(container.id())
        .ifPresent(
            found ->
                locked(
                    found,
                    cell -> {
                      cell.context(container);
                      turn.take(
                          PodMessages.of(container.pod()),
                          ContainerMessages.of(cell, node.get(), state));
                    }));
  }

  private static void locked(Cell<ContainerContext> cell, Consumer<Cell<ContainerContext>> work) {
    cell.lock().lock();
    try {
      work.accept(cell);
    } finally {
      cell.lock().unlock();
    }
  }
}
