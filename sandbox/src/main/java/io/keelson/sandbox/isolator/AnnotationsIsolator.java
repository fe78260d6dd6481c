package io.keelson.sandbox.isolator;

import io.keelson.proto.cri.v1.ImageSpec;
import io.keelson.proto.cri.v1.PodSandboxMetadata;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.spec.SpecBuilder;

/**
 * Tells the OCI runtime and its hooks which pod this is, by the annotations that the field's tools
 * look for. The caller's own annotations stay out: some OCI runtimes act on them.
 */
public final class AnnotationsIsolator implements Isolator {

  private static final String PREFIX = "io.kubernetes.cri.";

  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) {
    PodSandboxMetadata pod = container.pod().config().getMetadata();
    ImageSpec image = container.config().getImage();
    container.pod().handler().annotations().forEach(spec::annotation);
    spec.annotation(PREFIX + "container-type", "container")
        .annotation(PREFIX + "sandbox-id", container.pod().id())
        .annotation(PREFIX + "sandbox-name", pod.getName())
        .annotation(PREFIX + "sandbox-namespace", pod.getNamespace())
        .annotation(PREFIX + "sandbox-uid", pod.getUid())
        .annotation(PREFIX + "container-name", container.config().getMetadata().getName())
        .annotation(
            PREFIX + "image-name",
            image.getUserSpecifiedImage().isEmpty()
                ? image.getImage()
                : image.getUserSpecifiedImage());
  }
}
