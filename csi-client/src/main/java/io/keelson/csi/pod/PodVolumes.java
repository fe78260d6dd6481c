package io.keelson.csi.pod;

import io.keelson.csi.driver.Operation;
import io.keelson.csi.volume.PublicationRequest;
import io.keelson.csi.volume.Volumes;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxMetadata;
import io.keelson.proto.cri.v1.SELinuxOption;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.sandbox.InParallel;
import io.keelson.sandbox.port.PodContext;
import io.keelson.sandbox.port.PodExtension;
import java.io.IOException;
import java.util.Collection;
import java.util.stream.Collectors;

/**
 * Publishes the volumes that a pod's annotations ask for when the pod is made, all at the same
 * time, and takes them away when its containers have ended. A pod that asks for none costs nothing.
 */
public final class PodVolumes implements PodExtension {

  private final Volumes volumes;

  public PodVolumes(Volumes volumes) {
    this.volumes = volumes;
  }

  /** The id of the publication of a pod's volume. */
  static String publicationId(String podId, String volume) {
    return podId + "." + volume;
  }

  @Override
  public void run(PodContext pod) throws IOException {
    InParallel.forEach(
        VolumeAnnotations.volumes(pod.config().getAnnotationsMap()).entrySet(),
        each ->
            volumes.publish(request(pod, each.getKey(), each.getValue()), Operation.Listener.NONE));
  }

  private static PublicationRequest request(PodContext pod, String name, VolumeSource source) {
    PodSandboxMetadata metadata = pod.config().getMetadata();
    return new PublicationRequest(
        publicationId(pod.id(), name),
        pod.id(),
        name,
        metadata.getName(),
        metadata.getNamespace(),
        metadata.getUid(),
        source.getCsi().getSelinuxMount() ? selinuxLabel(pod.config()) : "",
        source);
  }

  /** The label that the files of the pod's containers have. */
  private static String selinuxLabel(PodSandboxConfig pod) {
    SELinuxOption options = pod.getLinux().getSecurityContext().getSelinuxOptions();
    if (options.getLevel().isEmpty()) {
      return "";
    }
    String user = options.getUser().isEmpty() ? "system_u" : options.getUser();
    return user + ":object_r:container_file_t:" + options.getLevel();
  }

  @Override
  public void stop(PodContext pod) throws IOException {
    InParallel.forEach(
        volumes.ofPod(pod.id()), publication -> volumes.release(publication.getId()));
  }

  @Override
  public void remove(PodContext pod) throws IOException {
    stop(pod);
  }

  @Override
  public void recover(Collection<PodContext> known) throws IOException {
    volumes.recover(known.stream().map(PodContext::id).collect(Collectors.toSet()));
  }
}
