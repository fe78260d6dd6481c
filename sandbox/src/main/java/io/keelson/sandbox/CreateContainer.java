package io.keelson.sandbox;

import io.keelson.linux.AtomicFile;
import io.keelson.linux.ProcessId;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.ContainerEventType;
import io.keelson.proto.cri.v1.ContainerMetadata;
import io.keelson.proto.cri.v1.LinuxContainerUser;
import io.keelson.proto.cri.v1.NamespaceMode;
import io.keelson.proto.record.v1.ContainerPhase;
import io.keelson.proto.record.v1.ContainerRecord;
import io.keelson.sandbox.RecordStore.Durability;
import io.keelson.sandbox.error.AlreadyExistsException;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.ImageDescription;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.port.PodContext;
import io.keelson.sandbox.port.RootOptions;
import io.keelson.sandbox.spec.SpecBuilder;
import io.keelson.sandbox.spec.SpecUser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.locks.Lock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * CreateContainer: resolve the image, record, provision the root file system, let the isolators
 * shape the spec, write the bundle, record CREATED. No process is made.
 */
final class CreateContainer {

  private static final Logger LOG = LoggerFactory.getLogger(CreateContainer.class);

  static final String SPEC_FILE = "config.json";

  private record Request(String sandboxId, ContainerConfig config, Optional<Path> checkpoint) {}

  private final Core core;
  private final RemoveContainer removeContainer;
  private final ContainerOrigins origins;
  private final InFlight<Request> inFlight = new InFlight<>(Request::equals);

  CreateContainer(Core core, RemoveContainer removeContainer, ContainerOrigins origins) {
    this.core = core;
    this.removeContainer = removeContainer;
    this.origins = origins;
  }

  /**
   * Makes a container in a ready pod; asked again with the same metadata, answers the container
   * that is there. An image that is an absolute path is the archive of a checkpoint to be restored.
   *
   * @return the container's id
   */
  String create(String sandboxId, ContainerConfig config) throws IOException {
    String image = config.getImage().getImage();
    return create(
        sandboxId, config, image.startsWith("/") ? Optional.of(path(image)) : Optional.empty());
  }

  private static Path path(String image) {
    try {
      return Path.of(image);
    } catch (InvalidPathException e) {
      throw new InvalidRequestException("the image is no path: " + e.getReason(), e);
    }
  }

  /**
   * As {@link #create(String, ContainerConfig)}, with the archive of a checkpoint apart from the
   * image that the configuration names.
   */
  String create(String sandboxId, ContainerConfig config, Optional<Path> checkpoint)
      throws IOException {
    PodEntry pod = core.pods().get(sandboxId);
    validate(config);
    Request request = new Request(pod.id(), config, checkpoint);
    String name = Names.container(pod.id(), config.getMetadata());
    return inFlight.run(
        name,
        request,
        () -> {
          Lock lock = pod.lock().readLock();
          lock.lock();
          try {
            requireReady(pod);
            Optional<String> there = existing(pod, request);
            return there.isPresent() ? there.get() : create(pod, request);
          } finally {
            lock.unlock();
          }
        });
  }

  private static void validate(ContainerConfig config) {
    if (!config.hasMetadata() || config.getMetadata().getName().isEmpty()) {
      throw new InvalidRequestException("the container has no metadata with a name");
    }
    if (config.getImage().getImage().isEmpty()) {
      throw new InvalidRequestException(
          "container \"" + config.getMetadata().getName() + "\" names no image");
    }
    if (config.hasWindows()) {
      throw new InvalidRequestException("a Windows container can't run on Linux");
    }
  }

  private static void requireReady(PodEntry pod) {
    if (!pod.isReady()) {
      throw new FailedPreconditionException("pod sandbox " + pod.id() + " is not ready");
    }
  }

  private Optional<String> existing(PodEntry pod, Request request) {
    ContainerMetadata wanted = request.config.getMetadata();
    Optional<ContainerEntry> holder =
        core.containers().of(pod.id()).stream()
            .filter(c -> c.config().getMetadata().equals(wanted))
            .findAny();
    if (holder.isEmpty()) {
      return Optional.empty();
    }
    ContainerEntry container = holder.get();
    if (container.phase() == ContainerPhase.CONTAINER_PHASE_CREATED
        && container.config().equals(request.config)) {
      return Optional.of(container.id());
    }
    throw new AlreadyExistsException(
        "name \""
            + wanted.getName()
            + "\" attempt "
            + Integer.toUnsignedString(wanted.getAttempt())
            + " belongs to container "
            + container.id()
            + " of this pod: remove that one first");
  }

  private String create(PodEntry pod, Request request) throws IOException {
    String id = core.newId();
    ContainerConfig config = request.config;
    String reference = config.getImage().getImage();
    try (ContainerOrigin origin = origins.find(pod, id, reference, request.checkpoint);
        Undo undo = new Undo()) {
      ImageDescription image = origin.image();
      ContainerEntry container = new ContainerEntry(initialRecord(pod, id, config, origin));
      undo.push("container", () -> removeContainer.remove(container));
      core.containerRecords().save(id, container.record(), Durability.DAEMON);
      core.reached("CreateContainer:recorded");

      provision(context(pod, container, image));
      origin.changeRoot(core, id);
      core.reached("CreateContainer:rootfs");

      holdPidNamespace(pod, config);
      // Made anew: its pod may have a PID namespace now.
      ContainerContext context = context(pod, container, image);
      Files.createDirectories(context.bundle());
      SpecBuilder spec = new SpecBuilder();
      for (Isolator isolator : core.isolators()) {
        isolator.prepare(context, spec);
      }
      origin.fit(spec);
      AtomicFile.write(context.bundle().resolve(SPEC_FILE), spec.toJson(), false);
      prepareLogDirectory(pod, config);
      origin.continueLog(ContainerLog.path(pod.config(), config));
      core.reached("CreateContainer:bundle");

      ContainerRecord.Builder created =
          container.record().toBuilder()
              .setPhase(ContainerPhase.CONTAINER_PHASE_CREATED)
              .setUser(user(spec.user()))
              .addAllMounts(spec.reportedMounts());
      spec.reportedResources().ifPresent(created::setResources);
      String cgroup = spec.cgroupsPath();
      if (cgroup != null) {
        created.setCgroup(cgroup);
      }
      core.save(container, created.build(), Durability.POWER_SOON);
      show(container);
      core.reached("CreateContainer:created");
      undo.keep();
      origin.keep();
      Notices.tell(core.isolators(), isolator -> isolator.created(context));
    }
    LOG.atInfo()
        .addKeyValue("pod", pod.id())
        .addKeyValue("container", id)
        .addKeyValue("name", config.getMetadata().getName())
        .log("container is created");
    return id;
  }

  private ContainerContext context(PodEntry pod, ContainerEntry container, ImageDescription image) {
    return new ContainerContext(
        container.id(),
        pod.context(core.settings()),
        container.config(),
        image,
        core.provisioner().rootfs(container.id()),
        core.settings().bundle(container.id()),
        container.record().getCgroup());
  }

  private void provision(ContainerContext container) throws IOException {
    PodContext pod = container.pod();
    RootOptions options = new RootOptions(pod.userNamespace(), pod.handler().snapshotBackend(), "");
    for (Isolator isolator : core.isolators()) {
      options = isolator.root(container, options);
    }
    core.provisioner().provision(container.id(), container.image().id(), options);
  }

  /** Nobody may start it before it is told that it was created. */
  private void show(ContainerEntry container) {
    container.lock().lock();
    try {
      core.containers().put(container);
      core.events().container(container.record(), ContainerEventType.CONTAINER_CREATED_EVENT);
    } finally {
      container.lock().unlock();
    }
  }

  private ContainerRecord initialRecord(
      PodEntry pod, String id, ContainerConfig config, ContainerOrigin origin) {
    ImageDescription image = origin.image();
    return ContainerRecord.newBuilder()
        .setId(id)
        .setSandboxId(pod.id())
        .setConfig(config)
        .setImageId(image.id())
        .setImageRef(image.repoDigests().isEmpty() ? image.id() : image.repoDigests().getFirst())
        .setImageName(
            image.repoTags().isEmpty() ? config.getImage().getImage() : image.repoTags().getFirst())
        .setPhase(ContainerPhase.CONTAINER_PHASE_CREATING)
        .setCreatedAt(Core.now())
        .setStopSignal(StopSignal.of(config.getStopSignal(), image.stopSignal()))
        .setBootId(core.bootId())
        .setCgroup(core.cgroups().child(pod.id(), pod.config(), id))
        .setRuntimeHandler(pod.record().getRuntimeHandler())
        .setRestored(origin.isCheckpoint())
        .build();
  }

  /** The first container that wants the pod's PID namespace brings the process that holds it. */
  private void holdPidNamespace(PodEntry pod, ContainerConfig config) throws IOException {
    NamespaceMode wanted = config.getLinux().getSecurityContext().getNamespaceOptions().getPid();
    if (wanted != NamespaceMode.POD) {
      return;
    }
    synchronized (pod) {
      if (pod.record().hasHolder() && Processes.fromRecord(pod.record().getHolder()).isAlive()) {
        return;
      }
      ProcessId holder =
          core.holder()
              .start(
                  pod.context(core.settings()),
                  core.cgroups().child(pod.id(), pod.config(), pod.id()));
      core.reached("CreateContainer:holder");
      core.save(
          pod,
          pod.record().toBuilder().setHolder(Processes.toRecord(holder)).build(),
          Durability.DAEMON);
    }
  }

  private static void prepareLogDirectory(PodEntry pod, ContainerConfig config) throws IOException {
    Optional<Path> log = ContainerLog.path(pod.config(), config);
    if (log.isPresent() && log.get().getParent() != null) {
      Files.createDirectories(log.get().getParent());
    }
  }

  private static LinuxContainerUser user(SpecUser user) {
    return LinuxContainerUser.newBuilder()
        .setUid(user.uid())
        .setGid(user.gid())
        .addAllSupplementalGroups(user.additionalGids().stream().map(Number::longValue).toList())
        .build();
  }
}
