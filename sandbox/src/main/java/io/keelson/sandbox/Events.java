package io.keelson.sandbox;

import io.keelson.proto.cri.v1.ContainerEventResponse;
import io.keelson.proto.cri.v1.ContainerEventType;
import io.keelson.proto.record.v1.ContainerPhase;
import io.keelson.proto.record.v1.ContainerRecord;
import io.keelson.sandbox.event.EventHub;

/**
 * Tells the hub what has happened, once the record of it is committed. Each event carries the
 * statuses of that moment: of the sandbox (its last one when it is gone, since a kubelet learns
 * from it which pod is meant) and of all its containers. Safe for use by many threads.
 */
final class Events {

  private final EventHub hub;
  private final Core core;
  private final PodViews views;

  Events(EventHub hub, Core core) {
    this.hub = hub;
    this.core = core;
    this.views = new PodViews(core, new ContainerViews(core));
  }

  /** Tells of a running or ended container when its record becomes this one. */
  void changed(ContainerPhase before, ContainerRecord now) {
    if (now.getPhase() == before) {
      return;
    }
    if (now.getPhase() == ContainerPhase.CONTAINER_PHASE_RUNNING) {
      container(now, ContainerEventType.CONTAINER_STARTED_EVENT);
    } else if (now.getPhase() == ContainerPhase.CONTAINER_PHASE_EXITED) {
      container(now, ContainerEventType.CONTAINER_STOPPED_EVENT);
    }
  }

  void container(ContainerRecord container, ContainerEventType type) {
    hub.publish(
        time -> {
          ContainerEventResponse.Builder event = event(container.getId(), type, time);
          core.pods().find(container.getSandboxId()).ifPresent(pod -> describe(event, pod));
          return event.build();
        });
  }

  /** A sandbox has the events of a container, with its own id as the container's. */
  void pod(PodEntry pod, ContainerEventType type) {
    hub.publish(
        time -> {
          ContainerEventResponse.Builder event = event(pod.id(), type, time);
          describe(event, pod);
          return event.build();
        });
  }

  private static ContainerEventResponse.Builder event(
      String id, ContainerEventType type, long time) {
    return ContainerEventResponse.newBuilder()
        .setContainerId(id)
        .setContainerEventType(type)
        .setCreatedAt(time);
  }

  private void describe(ContainerEventResponse.Builder event, PodEntry pod) {
    event
        .setPodSandboxStatus(views.status(pod))
        .addAllContainersStatuses(views.containerStatuses(pod));
  }
}
