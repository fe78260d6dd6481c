package io.keelson.sandbox;

import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.RestorePodResponse;
import io.keelson.proto.cri.v1.RestoredContainer;
import io.keelson.sandbox.error.InvalidRequestException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** RestorePod: run the pod, create its containers from the checkpoint; none of them is started. */
final class RestorePod {

  private static final Logger LOG = LoggerFactory.getLogger(RestorePod.class);

  private final Core core;
  private final RunPod runPod;
  private final CreateContainer createContainer;
  private final StopPod stopPod;
  private final CaptureContainers capture;

  RestorePod(
      Core core,
      RunPod runPod,
      CreateContainer createContainer,
      StopPod stopPod,
      CaptureContainers capture) {
    this.core = core;
    this.runPod = runPod;
    this.createContainer = createContainer;
    this.stopPod = stopPod;
    this.capture = capture;
  }

  /**
   * Makes a pod whose containers go on, once they are started, where those of the checkpoint were.
   * If one can't be made, nothing of the pod is left.
   */
  RestorePodResponse restore(
      Path folder, PodSandboxConfig config, String handler, List<ContainerConfig> configs)
      throws IOException {
    PodCheckpoint checkpoint = new PodCheckpoint(folder);
    List<String> names = checkpoint.read();
    for (ContainerConfig container : configs) {
      String name = container.getMetadata().getName();
      if (!names.contains(name)) {
        throw new InvalidRequestException(
            "the checkpoint has no container \"%s\"; it has: %s"
                .formatted(name, String.join(", ", names)));
      }
    }
    capture.requireSupport(core.settings().handler(handler));
    boolean there = isThere(config);
    String pod = runPod.run(config, handler);
    RestorePodResponse.Builder response = RestorePodResponse.newBuilder().setPodSandboxId(pod);
    try (Undo undo = new Undo()) {
      if (!there) {
        undo.push("pod", () -> stopPod.remove(pod));
      }
      core.reached("RestorePod:pod");
      for (ContainerConfig container : configs) {
        String name = container.getMetadata().getName();
        Path archive = checkpoint.archive(name, names);
        String id = createContainer.create(pod, container, Optional.of(archive));
        response.addRestoredContainers(
            RestoredContainer.newBuilder().setName(name).setContainerId(id));
        core.reached("RestorePod:container");
      }
      undo.keep();
    }
    LOG.atInfo().addKeyValue("pod", pod).addKeyValue("from", folder).log("pod was restored");
    return response.build();
  }

  /**
   * A pod that an earlier call made, whose answer was not heard, perhaps: it is not ours to undo.
   */
  private boolean isThere(PodSandboxConfig config) {
    String name = Names.sandbox(config.getMetadata());
    return core.pods().all().stream().anyMatch(pod -> pod.name().equals(name) && pod.isReady());
  }
}
