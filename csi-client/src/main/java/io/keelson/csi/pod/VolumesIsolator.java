package io.keelson.csi.pod;

import io.keelson.csi.volume.Volumes;
import io.keelson.linux.tree.FileLabels;
import io.keelson.proto.cri.v1.Mount;
import io.keelson.proto.node.v1.Publication;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.isolator.DeviceNodes;
import io.keelson.sandbox.isolator.HostPaths;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.spec.SpecBuilder;
import io.keelson.sandbox.spec.SpecDevice;
import io.keelson.sandbox.spec.SpecDeviceRule;
import io.keelson.sandbox.spec.SpecMount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Mounts volumes of the pod into a container that asks for them by annotations; raw block volumes
 * become device nodes. It comes after the isolator of the other mounts. What volumes a pod has is
 * settled when the pod is made, so nothing is to be undone here.
 */
public final class VolumesIsolator implements Isolator {

  private final Volumes volumes;
  private final HostPaths hostPaths;

  /**
   * @param hostPaths for volumes that lie where their pods said, which may never answer
   */
  public VolumesIsolator(Volumes volumes, HostPaths hostPaths) {
    this.volumes = volumes;
    this.hostPaths = hostPaths;
  }

  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) throws IOException {
    List<VolumeAnnotations.MountWish> wishes =
        VolumeAnnotations.mounts(container.config().getAnnotationsMap());
    for (VolumeAnnotations.MountWish wish : wishes) {
      Publication publication = find(container, wish);
      Path source = Path.of(publication.getPath());
      boolean readOnly = wish.readOnly() || publication.getReadOnly();
      Optional<String> label =
          belongsToContainers(container, wish) ? spec.mountLabel() : Optional.empty();
      Optional<SpecDevice> device =
          hostPaths.call(
              progress -> {
                progress.touches(source);
                if (label.isPresent() && Files.exists(source)) {
                  FileLabels.apply(source, label.get());
                }
                return device(source, wish.path());
              });
      if (device.isPresent()) {
        spec.device(device.get());
        spec.limits().deviceRule(SpecDeviceRule.allow(device.get(), readOnly ? "rm" : "rwm"));
      } else {
        addMount(spec, wish.path(), source, readOnly);
      }
      report(spec, wish.path(), source, readOnly);
    }
  }

  private Publication find(ContainerContext container, VolumeAnnotations.MountWish wish) {
    String id = PodVolumes.publicationId(container.pod().id(), wish.volume());
    String annotation = VolumeAnnotations.VOLUMES + wish.volume();
    if (!container.pod().config().getAnnotationsMap().containsKey(annotation)) {
      throw new InvalidRequestException(
          "the container mounts volume \"%s\", but its pod has no annotation %s"
              .formatted(wish.volume(), annotation));
    }
    return volumes
        .published(id)
        .orElseThrow(
            () ->
                new FailedPreconditionException(
                    "volume \"" + wish.volume() + "\" of the pod is not published (any more)"));
  }

  /**
   * As kubelets do: what is the node's keeps its SELinux labels, all else takes the container's.
   */
  private static boolean belongsToContainers(
      ContainerContext container, VolumeAnnotations.MountWish wish) {
    VolumeSource source =
        VolumeAnnotations.volumes(container.pod().config().getAnnotationsMap()).get(wish.volume());
    return source != null && !source.hasHostPath() && !source.hasDocker();
  }

  private static Optional<SpecDevice> device(Path source, String path) throws IOException {
    if (Files.isDirectory(source) || Files.isRegularFile(source)) {
      return Optional.empty();
    }
    return DeviceNodes.node(source.toRealPath(), path);
  }

  /** Before the first mount that lies below it, else behind all others. */
  private static void addMount(SpecBuilder spec, String path, Path source, boolean readOnly) {
    SpecMount mount =
        SpecMount.bind(path, source.toString(), "rbind", "rprivate", readOnly ? "ro" : "rw");
    List<SpecMount> mounts = new ArrayList<>(spec.mounts());
    mounts.removeIf(each -> each.destination().equals(path));
    int place = 0;
    while (place < mounts.size() && !isBelow(mounts.get(place).destination(), path)) {
      place++;
    }
    mounts.add(place, mount);
    spec.mounts(mounts);
  }

  private static boolean isBelow(String destination, String path) {
    return destination.startsWith(path + "/");
  }

  private static void report(SpecBuilder spec, String path, Path source, boolean readOnly) {
    List<Mount> reported = new ArrayList<>(spec.reportedMounts());
    reported.add(
        Mount.newBuilder()
            .setContainerPath(path)
            .setHostPath(source.toString())
            .setReadonly(readOnly)
            .build());
    spec.reportedMounts(reported);
  }
}
