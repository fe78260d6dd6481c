package io.keelson.sandbox.isolator;

import io.keelson.proto.cri.v1.Mount;
import io.keelson.proto.cri.v1.MountPropagation;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.ImageVolumes;
import io.keelson.sandbox.port.ImageVolumes.ImageVolume;
import io.keelson.sandbox.spec.SpecMount;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The mounts of a container that show images (CRI, {@code Mount.image}). */
final class ImageMounts {

  private final ImageVolumes volumes;

  ImageMounts(ImageVolumes volumes) {
    this.volumes = volumes;
  }

  /**
   * @param bind for the spec
   * @param reported for the status, with the id of what was mounted
   */
  record ImageMount(SpecMount bind, Mount reported) {}

  static boolean isOne(Mount mount) {
    return mount.hasImage() && !mount.getImage().getImage().isEmpty();
  }

  static void validate(Mount mount) {
    String name = mount.getContainerPath();
    if (!mount.getReadonly()) {
      throw new InvalidRequestException(
          "mount %s: an image can only be mounted with readonly".formatted(name));
    }
    if (!mount.getHostPath().isEmpty()) {
      throw new InvalidRequestException("mount %s names an image and a host_path".formatted(name));
    }
    if (mount.getPropagation() != MountPropagation.PROPAGATION_PRIVATE) {
      throw new InvalidRequestException(
          "mount %s: an image can only be mounted with private propagation".formatted(name));
    }
  }

  ImageMount make(ContainerContext container, Mount mount, String fileLabel) throws IOException {
    ImageVolume volume =
        volumes.mount(
            container.id(),
            mount.getImage().getImage(),
            mount.getImageSubPath(),
            container.pod().userNamespace(),
            fileLabel);
    // Not noexec: programs come this way too, and the field's conformance tests run one.
    List<String> options = new ArrayList<>(List.of("rbind", "rprivate", "ro", "nosuid", "nodev"));
    options.addAll(mount.getMountOptionsList());
    Mount.Builder reported = mount.toBuilder();
    reported.getImageBuilder().setImageRef(volume.imageId());
    return new ImageMount(
        new SpecMount(
            Path.of("/", mount.getContainerPath()).normalize().toString(),
            "bind",
            volume.source().toString(),
            options.stream().distinct().toList()),
        reported.build());
  }
}
