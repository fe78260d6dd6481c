package io.keelson.sandbox.launch;

import io.keelson.linux.IdMapping;
import io.keelson.linux.NamespaceType;
import io.keelson.linux.ProcessId;
import io.keelson.linux.cgroup.Cgroups;
import io.keelson.sandbox.PodHolder;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.port.PodContext;
import io.keelson.sandbox.port.RuntimeHandler;
import io.keelson.sandbox.spec.SpecBuilder;
import io.keelson.sandbox.spec.SpecCapabilities;
import io.keelson.sandbox.spec.SpecIdMapping;
import io.keelson.sandbox.spec.SpecMount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The holder of a pod's PID namespace: {@code catatonit -P}, which does nothing but wait for the
 * processes that lose their parent. It is a container of the OCI runtime without a monitor, in a
 * root file system with nothing else in it, without a capability. Safe for use by many threads;
 * calls for one pod never overlap.
 */
public final class CatatonitHolder implements PodHolder {

  private static final Logger LOG = LoggerFactory.getLogger(CatatonitHolder.class);

  private static final String PROGRAM = "/catatonit";

  private final Path catatonit;
  private final RuntimeHandler handler;
  private final Cgroups cgroups;
  private final Duration timeout;

  /**
   * @param catatonit the program, statically linked
   * @param handler the runtime that all holders are started by; its state folder is not used
   * @param timeout for one step of the runtime
   */
  public CatatonitHolder(
      Path catatonit, RuntimeHandler handler, Cgroups cgroups, Duration timeout) {
    this.catatonit = catatonit;
    this.handler = handler;
    this.cgroups = cgroups;
    this.timeout = timeout;
  }

  @Override
  public ProcessId start(PodContext pod, String cgroup) throws IOException {
    Place place = new Place(pod.stateDirectory());
    Optional<ProcessId> running = running(pod.id(), place);
    if (running.isPresent()) {
      return running.get();
    }
    stop(pod.id(), pod.stateDirectory());
    prepareRoot(place);
    Files.createDirectories(place.runtimeState());
    Files.write(place.folder().resolve("config.json"), spec(pod, cgroup, place).toJson());
    try {
      runtime(place)
          .runDetached(
              id(pod.id()), place.folder(), place.pid(), place.folder().resolve("runtime.log"));
      return running(pod.id(), place)
          .orElseThrow(
              () ->
                  new OperationFailedException(
                      "the holder of pod sandbox " + pod.id() + " ended at once"));
    } catch (IOException | RuntimeException e) {
      try {
        stop(pod.id(), pod.stateDirectory());
      } catch (IOException | RuntimeException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
  }

  /** All that the runtime mounts on is there: root of a user namespace could not make it here. */
  private static void prepareRoot(Place place) throws IOException {
    for (String folder : List.of("proc", "dev", "sys")) {
      Files.createDirectories(place.rootfs().resolve(folder));
    }
    Path program = place.rootfs().resolve(PROGRAM.substring(1));
    if (!Files.exists(program)) {
      Files.createFile(program);
    }
  }

  private SpecBuilder spec(PodContext pod, String cgroup, Place place) {
    SpecBuilder spec =
        new SpecBuilder()
            .args(List.of(PROGRAM, "-P"))
            .root(place.rootfs(), true)
            .capabilities(SpecCapabilities.NONE)
            .noNewPrivileges(true)
            .cgroupsPath(cgroup)
            .annotation("run.oci.systemd.subgroup", "")
            .mount(
                new SpecMount("/proc", "proc", "proc", List.of("nosuid", "noexec", "nodev", "ro")))
            .mount(new SpecMount("/dev", "tmpfs", "tmpfs", List.of("nosuid", "noexec", "size=64k")))
            .mount(SpecMount.bind(PROGRAM, catatonit.toString(), "bind", "ro", "nosuid", "nodev"))
            .newNamespace(NamespaceType.MOUNT)
            .newNamespace(NamespaceType.PID);
    for (NamespaceType type : List.of(NamespaceType.NET, NamespaceType.IPC, NamespaceType.UTS)) {
      Path pinned = pod.namespaces().get(type);
      if (pinned != null) {
        spec.joinNamespace(type, pinned);
      }
    }
    pod.userNamespace()
        .ifPresent(
            user ->
                spec.joinNamespace(NamespaceType.USER, user.file())
                    .idMappings(List.of(mapping(user.uids())), List.of(mapping(user.gids()))));
    return spec;
  }

  private static SpecIdMapping mapping(IdMapping ids) {
    return new SpecIdMapping(ids.inside(), ids.outside(), ids.length());
  }

  private Optional<ProcessId> running(String sandboxId, Place place) throws IOException {
    OptionalInt pid = Bundle.readPid(place.pid());
    if (pid.isEmpty() || !runtime(place).status(id(sandboxId)).equals(Optional.of("running"))) {
      return Optional.empty();
    }
    return ProcessId.of(pid.getAsInt()).filter(ProcessId::isAlive);
  }

  @Override
  public void stop(String sandboxId, Path stateDirectory) throws IOException {
    Place place = new Place(stateDirectory);
    if (!Files.exists(place.folder())) {
      return;
    }
    Bundle.Spec spec = new Bundle(place.folder()).spec();
    Optional<String> group = spec.cgroup();
    boolean ended = group.isPresent() && cgroups.killAll(group.get(), timeout);
    try {
      runtime(place).delete(id(sandboxId), spec, ended);
    } catch (IOException | KeelsonException e) {
      LOG.atWarn()
          .addKeyValue("pod", sandboxId)
          .log("clearing away the pod's holder by hand: {}", e.getMessage());
    }
    if (group.isPresent()) {
      cgroups.remove(group.get(), timeout);
    }
    Folders.delete(place.folder());
  }

  private OciRuntime runtime(Place place) {
    // A state folder for each holder: what sweeps the runtime's own sees containers only.
    return new OciRuntime(handler.withRoot(place.runtimeState()), timeout);
  }

  private static String id(String sandboxId) {
    return "holder-" + sandboxId;
  }

  private record Place(Path stateDirectory) {

    Path folder() {
      return stateDirectory.resolve("holder");
    }

    Path rootfs() {
      return folder().resolve("rootfs");
    }

    Path runtimeState() {
      return folder().resolve("runtime");
    }

    Path pid() {
      return folder().resolve("init.pid");
    }
  }
}
