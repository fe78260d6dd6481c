package io.keelson.sandbox.isolator;

import io.keelson.proto.cri.v1.LinuxContainerSecurityContext;
import io.keelson.proto.cri.v1.NamespaceMode;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.PodContext;
import io.keelson.sandbox.spec.SpecMount;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The mounts that a container has without asking. */
final class DefaultMounts {

  private static final String SHM = "/dev/shm";
  private static final Path HOST_SHM = Path.of(SHM);

  private final HostFeatures host;

  DefaultMounts(HostFeatures host) {
    this.host = host;
  }

  /**
   * The kernel's file systems and the container's own /dev; a mount of the caller on /dev replaces
   * it.
   */
  List<SpecMount> kernel(ContainerContext container) {
    LinuxContainerSecurityContext security = container.config().getLinux().getSecurityContext();
    String access = security.getPrivileged() ? "rw" : "ro";
    List<String> cgroup = new ArrayList<>(List.of("nosuid", "noexec", "nodev", "relatime", access));
    if (security.getPrivileged()) {
      // In the host's cgroup namespace the options of this mount become those of the host's own.
      cgroup.addAll(host.cgroupMountOptions());
    }
    HostKernelMounts hosts = new HostKernelMounts(container);
    return Stream.of(
            hosts.proc(
                new SpecMount("/proc", "proc", "proc", List.of("nosuid", "noexec", "nodev"))),
            new SpecMount(
                "/dev",
                "tmpfs",
                "tmpfs",
                List.of("nosuid", "strictatime", "mode=755", "size=65536k")),
            new SpecMount(
                "/dev/pts",
                "devpts",
                "devpts",
                List.of("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5")),
            hosts.mqueue(
                new SpecMount(
                    "/dev/mqueue", "mqueue", "mqueue", List.of("nosuid", "noexec", "nodev"))),
            hosts.sysfs(
                new SpecMount(
                    "/sys", "sysfs", "sysfs", List.of("nosuid", "noexec", "nodev", access))),
            new SpecMount("/sys/fs/cgroup", "cgroup", "cgroup", cgroup))
        .filter(mount -> !mount.isBind() || Files.exists(Path.of(mount.source())))
        .toList();
  }

  /** The files of the pod, and the shared memory that its containers have in common. */
  List<SpecMount> pod(ContainerContext container) {
    LinuxContainerSecurityContext security = container.config().getLinux().getSecurityContext();
    PodContext pod = container.pod();
    String access = security.getReadonlyRootfs() ? "ro" : "rw";
    List<SpecMount> mounts = new ArrayList<>();
    addIfThere(mounts, "/etc/hostname", pod.hostname(), access);
    addIfThere(mounts, "/etc/hosts", pod.hosts(), access);
    addIfThere(mounts, "/etc/resolv.conf", pod.resolvConf(), access);
    NamespaceMode ipc = pod.config().getLinux().getSecurityContext().getNamespaceOptions().getIpc();
    addIfThere(
        mounts,
        SHM,
        ipc == NamespaceMode.NODE ? HOST_SHM : pod.shm(),
        "nosuid",
        "nodev",
        "noexec",
        "rw");
    return mounts;
  }

  private static void addIfThere(
      List<SpecMount> mounts, String destination, Path source, String... options) {
    if (Files.exists(source)) {
      List<String> all = new ArrayList<>(List.of("rbind", "rprivate"));
      all.addAll(List.of(options));
      mounts.add(SpecMount.bind(destination, source.toString(), all.toArray(String[]::new)));
    }
  }
}
