package io.keelson.sandbox.launch;

import io.keelson.linux.IdMapping;
import io.keelson.linux.NamespaceType;
import io.keelson.linux.PidNamespaces;
import io.keelson.linux.Pidfd;
import io.keelson.linux.ProcessId;
import io.keelson.linux.ProcessWatcher;
import io.keelson.linux.Signals;
import io.keelson.linux.Spawned;
import io.keelson.linux.cgroup.CgroupDriver;
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
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The holder of a pod's PID namespace: {@code catatonit -P}, which does nothing but wait for the
 * processes that lose their parent, in a root file system with nothing else in it, without a
 * capability. It is started by the daemon itself where that can be: a process with threads can't
 * enter a user namespace, and systemd wants to make its scopes. There it is a container of the OCI
 * runtime without a monitor, which takes several times as long. Safe for use by many threads; calls
 * for one pod never overlap.
 */
public final class CatatonitHolder implements PodHolder {

  private static final Logger LOG = LoggerFactory.getLogger(CatatonitHolder.class);

  private static final String PROGRAM = "/catatonit";

  private final Path catatonit;
  private final RuntimeHandler handler;
  private final Cgroups cgroups;
  private final ProcessWatcher watcher;
  private final Duration timeout;

  /**
   * @param catatonit the program, statically linked
   * @param handler the runtime that holders are started by where the daemon can't; its state folder
   *     is not used
   * @param timeout for one step of the runtime
   */
  public CatatonitHolder(
      Path catatonit,
      RuntimeHandler handler,
      Cgroups cgroups,
      ProcessWatcher watcher,
      Duration timeout) {
    this.catatonit = catatonit;
    this.handler = handler;
    this.cgroups = cgroups;
    this.watcher = watcher;
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
    Files.createDirectories(place.rootfs());
    try {
      Optional<ProcessId> started =
          pod.userNamespace().isPresent() || handler.systemdCgroup()
              ? startByRuntime(pod, cgroup, place)
              : startHere(pod, CgroupDriver.group(cgroup), place);
      return started.orElseThrow(
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

  /** What must be known to end it is noted before it is there. */
  private Optional<ProcessId> startHere(PodContext pod, String group, Place place)
      throws IOException {
    Files.writeString(place.group(), group, StandardCharsets.UTF_8);
    cgroups.create(group);
    Spawned process =
        PidNamespaces.startFirst(
            place.rootfs(), catatonit, List.of("-P", id(pod.id())), joined(pod));
    ProcessId holder = process.processId();
    watcher.watch(holder, process::close); // a child stays until it is waited for
    Files.writeString(place.pid(), Integer.toString(process.pid()), StandardCharsets.US_ASCII);
    cgroups.enter(group, process.pid());
    return Optional.of(holder).filter(ProcessId::isAlive);
  }

  private static Map<NamespaceType, Path> joined(PodContext pod) {
    Map<NamespaceType, Path> joined = new EnumMap<>(NamespaceType.class);
    for (NamespaceType type : List.of(NamespaceType.NET, NamespaceType.IPC, NamespaceType.UTS)) {
      Path pinned = pod.namespaces().get(type);
      if (pinned != null) {
        joined.put(type, pinned);
      }
    }
    return joined;
  }

  private Optional<ProcessId> startByRuntime(PodContext pod, String cgroup, Place place)
      throws IOException {
    prepareRoot(place);
    Files.createDirectories(place.runtimeState());
    Files.write(place.spec(), spec(pod, cgroup, place).toJson());
    runtime(place)
        .runDetached(
            id(pod.id()), place.folder(), place.pid(), place.folder().resolve("runtime.log"));
    return running(pod.id(), place);
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
    joined(pod).forEach(spec::joinNamespace);
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
    if (pid.isEmpty() || !isHolder(sandboxId, place, pid.getAsInt())) {
      return Optional.empty();
    }
    return ProcessId.of(pid.getAsInt()).filter(ProcessId::isAlive);
  }

  private boolean isHolder(String sandboxId, Place place, int pid) throws IOException {
    return place.isOfRuntime()
        ? runtime(place).status(id(sandboxId)).equals(Optional.of("running"))
        : CommandLines.of(pid).contains(id(sandboxId));
  }

  @Override
  public void stop(String sandboxId, Path stateDirectory) throws IOException {
    Place place = new Place(stateDirectory);
    if (!Files.exists(place.folder())) {
      return;
    }
    Optional<String> group;
    if (place.isOfRuntime()) {
      group = stopByRuntime(sandboxId, place);
    } else {
      group = place.notedGroup();
      if (group.isPresent()) {
        cgroups.killAll(group.get(), timeout);
      }
      killOutside(sandboxId, place);
    }
    if (group.isPresent()) {
      cgroups.remove(group.get(), timeout);
    }
    Folders.delete(place.folder());
  }

  private Optional<String> stopByRuntime(String sandboxId, Place place) throws IOException {
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
    return group;
  }

  /** The daemon that started it may have been killed before it was noted, or in its group. */
  private void killOutside(String sandboxId, Place place) throws IOException {
    List<ProcessId> left =
        Files.exists(place.pid())
            ? running(sandboxId, place).stream().toList()
            : CommandLines.search(arguments -> arguments.contains(id(sandboxId)));
    for (ProcessId process : left) {
      Pidfd.signal(process, Signals.SIGKILL);
    }
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

    Path spec() {
      return folder().resolve("config.json");
    }

    boolean isOfRuntime() {
      return Files.exists(spec());
    }

    /** Names the control group where no specification does. */
    Path group() {
      return folder().resolve("cgroup");
    }

    Optional<String> notedGroup() throws IOException {
      return Files.exists(group())
          ? Optional.of(Files.readString(group(), StandardCharsets.UTF_8))
              .filter(text -> !text.isEmpty())
          : Optional.empty();
    }
  }
}
