package io.keelson.sandbox.isolator;

import io.keelson.linux.tree.FileLabels;
import io.keelson.proto.cri.v1.Mount;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.port.PodContext;
import io.keelson.sandbox.spec.SpecBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Gives the pod's files, and volumes that are to be labelled, the SELinux label of the container's
 * files, if it has one. Runs after the mounts, whose sources are there then.
 */
public final class RelabelIsolator implements Isolator {

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

  private final HostPaths hostPaths;

  public RelabelIsolator(HostPaths hostPaths) {
    this.hostPaths = hostPaths;
  }

  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) throws IOException {
    Optional<String> label = spec.mountLabel();
    if (label.isEmpty()) {
      return;
    }
    PodContext pod = container.pod();
    for (Path path : List.of(pod.hostname(), pod.hosts(), pod.resolvConf(), pod.shm())) {
      if (Files.exists(path)) {
        FileLabels.apply(path, label.get());
      }
    }
    List<Mount> volumes =
        container.config().getMountsList().stream().filter(Mount::getSelinuxRelabel).toList();
    if (!volumes.isEmpty()) {
      hostPaths.call(progress -> relabel(volumes, label.get(), progress));
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
}
