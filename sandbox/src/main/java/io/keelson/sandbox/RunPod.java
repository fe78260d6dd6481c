package io.keelson.sandbox;

import io.keelson.linux.NamespaceType;
import io.keelson.linux.Namespaces;
import io.keelson.linux.UserNamespaces;
import io.keelson.linux.netlink.IpText;
import io.keelson.proto.cri.v1.ContainerEventType;
import io.keelson.proto.cri.v1.NamespaceMode;
import io.keelson.proto.cri.v1.NamespaceOption;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxMetadata;
import io.keelson.proto.record.v1.SandboxPhase;
import io.keelson.proto.record.v1.SandboxRecord;
import io.keelson.sandbox.RecordStore.Durability;
import io.keelson.sandbox.error.AlreadyExistsException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.port.PodContext;
import io.keelson.sandbox.port.PodExtension;
import io.keelson.sandbox.port.PodNetwork;
import io.keelson.sandbox.port.PodUserNamespace;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.Lock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * RunPodSandbox: validate, reserve the name, record, namespaces, network, record READY. No process
 * is started; the holder of a shared PID namespace comes with the first container that wants it.
 */
final class RunPod {

  private static final Logger LOG = LoggerFactory.getLogger(RunPod.class);

  private record Request(PodSandboxConfig config, String handler) {}

  private final Core core;
  private final StopPod stopPod;
  private final InFlight<Request> inFlight = new InFlight<>(Request::equals);

  RunPod(Core core, StopPod stopPod) {
    this.core = core;
    this.stopPod = stopPod;
  }

  /**
   * Runs a pod; asked again with the same metadata, answers the pod that is there.
   *
   * @return the sandbox's id
   */
  String run(PodSandboxConfig config, String handler) throws IOException {
    validate(config);
    core.settings().handler(handler);
    Map<String, String> sysctls = PodSysctls.of(config);
    String name = Names.sandbox(config.getMetadata());
    Request request = new Request(config, handler);
    return inFlight.run(
        name,
        request,
        () -> {
          Optional<String> there = takeOver(name, request);
          return there.isPresent() ? there.get() : create(request, sysctls);
        });
  }

  private static void validate(PodSandboxConfig config) {
    if (!config.hasMetadata() || config.getMetadata().getName().isEmpty()) {
      throw new InvalidRequestException("the pod sandbox has no metadata with a name");
    }
    PodSandboxMetadata metadata = config.getMetadata();
    if (metadata.getNamespace().isEmpty() || metadata.getUid().isEmpty()) {
      throw new InvalidRequestException(
          "the metadata of pod sandbox \"" + metadata.getName() + "\" lacks a namespace or a uid");
    }
    NamespaceOption options = PodEntry.namespaceOptions(config);
    // Only for what it refuses: where the namespace will be pinned is not known yet.
    PodUserNamespace.of(config, Path.of("/"));
    for (NamespaceMode mode : new NamespaceMode[] {options.getNetwork(), options.getIpc()}) {
      if (mode != NamespaceMode.POD && mode != NamespaceMode.NODE) {
        throw new InvalidRequestException(
            "a pod's network and ipc namespaces are POD or NODE, not " + mode);
      }
    }
  }

  /**
   * Looks for what an earlier request of this name left: a ready pod is the answer; one that never
   * became ready is cleared away.
   */
  private Optional<String> takeOver(String name, Request request) throws IOException {
    for (PodEntry pod : core.pods().all()) {
      if (!pod.name().equals(name)) {
        continue;
      }
      SandboxRecord record = pod.record();
      boolean same =
          record.getConfig().equals(request.config)
              && record.getRuntimeHandler().equals(request.handler);
      if (pod.isReady() && same) {
        return Optional.of(pod.id());
      }
      if (pod.isReady() || !core.containers().of(pod.id()).isEmpty()) {
        throw new AlreadyExistsException(
            "name \"" + name + "\" belongs to pod sandbox " + pod.id() + ": remove that one first");
      }
      LOG.atInfo()
          .addKeyValue("pod", pod.id())
          .log("taking over from an earlier pod sandbox of this name");
      stopPod.remove(pod.id());
    }
    return Optional.empty();
  }

  private String create(Request request, Map<String, String> sysctls) throws IOException {
    PodSandboxConfig config = request.config;
    String id = core.newId();
    core.cgroups().validateParent(config.getLinux().getCgroupParent());
    PodEntry pod =
        new PodEntry(
            SandboxRecord.newBuilder()
                .setId(id)
                .setConfig(config)
                .setRuntimeHandler(request.handler)
                .setPhase(SandboxPhase.SANDBOX_PHASE_CREATING)
                .setCreatedAt(Core.now())
                .setBootId(core.bootId())
                .setOwnsCgroup(!core.cgroups().exists(id, config))
                .build());
    PodContext context = pod.context(core.settings());
    try (Undo undo = new Undo()) {
      undo.push("record", () -> leaveVisibleUnless(undo.complete(), pod));
      core.podRecords().save(id, pod.record(), Durability.DAEMON);
      core.reached("RunPodSandbox:recorded");

      String hostname = PodFiles.hostname(config);
      undo.push("files", () -> PodFiles.delete(context.stateDirectory()));
      PodFiles.create(context, hostname);
      core.reached("RunPodSandbox:files");

      undo.push("namespaces", () -> unpin(context));
      makeNamespaces(context, hostname, sysctls);
      core.reached("RunPodSandbox:namespaces");

      SandboxRecord.Builder ready =
          pod.record().toBuilder()
              .setPhase(SandboxPhase.SANDBOX_PHASE_READY)
              .setCreatedAt(Core.now());
      Path netns = context.namespaces().get(NamespaceType.NET);
      if (netns != null) {
        PodNetwork.Pod attached =
            new PodNetwork.Pod(id, Optional.of(netns), config, request.handler);
        undo.push("network", () -> core.network().detach(attached));
        PodNetwork.Attachment attachment = core.network().attach(attached);
        ready.setCniResult(attachment.cniResult());
        attachment.addresses().stream().map(IpText::of).forEach(ready::addAddresses);
      }
      core.reached("RunPodSandbox:network");
      PodContext connected = context.withAddresses(ready.getAddressesList());
      for (PodExtension extension : core.podExtensions()) {
        undo.push(
            "extension",
            () -> {
              extension.stop(connected);
              extension.remove(connected);
            });
        extension.run(connected);
      }
      core.reached("RunPodSandbox:extensions");

      core.save(pod, ready.build(), Durability.POWER_SOON);
      show(pod);
      core.reached("RunPodSandbox:ready");
      undo.keep();
    }
    LOG.atInfo().addKeyValue("pod", id).addKeyValue("name", pod.name()).log("pod sandbox is ready");
    return id;
  }

  /** Nobody may put a container into it before it is told that it is ready. */
  private void show(PodEntry pod) {
    Lock lock = pod.lock().writeLock();
    lock.lock();
    try {
      core.pods().put(pod.id(), pod);
      core.events().pod(pod, ContainerEventType.CONTAINER_CREATED_EVENT);
      core.events().pod(pod, ContainerEventType.CONTAINER_STARTED_EVENT);
    } finally {
      lock.unlock();
    }
  }

  private static void makeNamespaces(PodContext pod, String hostname, Map<String, String> sysctls)
      throws IOException {
    Map<NamespaceType, Path> pins = pod.namespaces();
    String ownName = pins.containsKey(NamespaceType.UTS) ? hostname : null;
    Optional<PodUserNamespace> user = pod.userNamespace();
    if (user.isPresent()) {
      UserNamespaces.create(user.get().uids(), user.get().gids(), pins, ownName, sysctls);
    } else {
      Namespaces.create(pins, ownName, sysctls);
    }
  }

  /**
   * A pod whose making could not be undone whole stays to be seen, so that Stop and Remove can be
   * called.
   */
  private void leaveVisibleUnless(boolean undone, PodEntry pod) throws IOException {
    if (undone) {
      core.podRecords().delete(pod.id());
      return;
    }
    core.pods().put(pod.id(), pod);
    core.save(
        pod,
        pod.record().toBuilder().setPhase(SandboxPhase.SANDBOX_PHASE_STOPPING).build(),
        Durability.DAEMON);
  }

  static void unpin(PodContext context) throws IOException {
    for (Path pin : context.namespaces().values()) {
      if (!pin.startsWith("/proc")) {
        Namespaces.unpin(pin);
      }
    }
  }
}
