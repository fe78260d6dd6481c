package io.keelson.runtime.daemon;

import io.keelson.csi.quota.NodeQuotas;
import io.keelson.proto.cri.v1.Container;
import io.keelson.proto.cri.v1.ContainerFilter;
import io.keelson.sandbox.Containers;
import io.keelson.sandbox.error.KeelsonException;
import java.io.IOException;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends the container that has written more into its root file system than it may, and all
 * containers of a pod whose shared folder holds too much.
 */
record DiskLimits(Containers containers) implements NodeQuotas.Ender {

  private static final Logger log = LoggerFactory.getLogger(DiskLimits.class);

  private static final String REASON = "DiskLimitExceeded";

  @Override
  public void end(String id, String message) {
    for (String container : subjects(id)) {
      try {
        containers.end(container, REASON, message);
      } catch (IOException | KeelsonException e) {
        log.atWarn()
            .setCause(e)
            .addKeyValue("container", container)
            .log("a container beyond its disk limit could not be ended");
      }
    }
  }

  /** A publication is named POD.NAME, a container by its id. */
  private List<String> subjects(String id) {
    int dot = id.indexOf('.');
    if (dot < 0) {
      return List.of(id);
    }
    ContainerFilter ofPod =
        ContainerFilter.newBuilder().setPodSandboxId(id.substring(0, dot)).build();
    return containers.list(ofPod).stream().map(Container::getId).toList();
  }
}
