package io.keelson.sandbox.isolator;

import io.keelson.linux.tree.FileLabels;
import io.keelson.proto.cri.v1.Mount;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.port.PodContext;
import io.keelson.sandbox.port.RootOptions;
import io.keelson.sandbox.spec.SpecBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * SELinux, where it is on: the label of the process, of the root file system, of the pod's files
 * and of volumes that are to be labelled. Where it is off labels mean nothing, as everywhere in the
 * field. Runs after the mounts, whose sources are there then.
 */
public final class SelinuxIsolator implements Isolator {

  private static final Path CONFIGURATION = Path.of("/etc/selinux");

  /** A label on one of these would lock the host out of its own files. */
  private static final Set<String> OF_THE_HOST =
      Set.of(
          "/",
          "/bin",
          "/boot",
          "/dev",
          "/etc",
          "/home",
          "/lib",
          "/lib64",
          "/media",
          "/mnt",
          "/opt",
          "/proc",
          "/root",
          "/run",
          "/sbin",
          "/srv",
          "/sys",
          "/tmp",
          "/usr",
          "/var",
          "/var/lib");

  private final HostFeatures host;
  private final HostPaths hostPaths;
  private final Path configuration;

  public SelinuxIsolator(HostFeatures host, HostPaths hostPaths) {
    this(host, hostPaths, CONFIGURATION);
  }

  SelinuxIsolator(HostFeatures host, HostPaths hostPaths, Path configuration) {
    this.host = host;
    this.hostPaths = hostPaths;
    this.configuration = configuration;
  }

  @Override
  public RootOptions root(ContainerContext container, RootOptions options) throws IOException {
    return labels(container).map(labels -> options.withFileLabel(labels.file())).orElse(options);
  }

  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) throws IOException {
    Optional<SelinuxLabels> labels = labels(container);
    if (labels.isEmpty()) {
      return;
    }
    String file = labels.get().file();
    spec.selinuxLabel(labels.get().process(), file);
    PodContext pod = container.pod();
    for (Path path : List.of(pod.hostname(), pod.hosts(), pod.resolvConf(), pod.shm())) {
      if (Files.exists(path)) {
        FileLabels.apply(path, file);
      }
    }
    List<Mount> volumes =
        container.config().getMountsList().stream().filter(Mount::getSelinuxRelabel).toList();
    if (!volumes.isEmpty()) {
      hostPaths.call(progress -> relabel(volumes, file, progress));
    }
  }

  private static boolean relabel(List<Mount> volumes, String label, HostPaths.Progress progress)
      throws IOException {
    for (Mount volume : volumes) {
      Path path = Path.of(volume.getHostPath());
      progress.touches(path);
      Path source = path.toRealPath();
      if (OF_THE_HOST.contains(source.toString())) {
        throw new InvalidRequestException(
            "mount %s: %s can't be labelled for a container: it is the host's"
                .formatted(volume.getContainerPath(), source));
      }
      FileLabels.apply(source, label);
    }
    return true;
  }

  private Optional<SelinuxLabels> labels(ContainerContext container) throws IOException {
    return host.selinux()
        ? SelinuxLabels.of(container, SelinuxLabels.Policy.read(configuration))
        : Optional.empty();
  }
}
