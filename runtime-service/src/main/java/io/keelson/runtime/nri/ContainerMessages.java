package io.keelson.runtime.nri;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.ContainerStatus;
import io.keelson.proto.nri.v1alpha1.CDIDevice;
import io.keelson.proto.nri.v1alpha1.Container;
import io.keelson.proto.nri.v1alpha1.ContainerState;
import io.keelson.proto.nri.v1alpha1.Image;
import io.keelson.proto.nri.v1alpha1.SecurityProfile;
import io.keelson.sandbox.port.ContainerContext;
import java.io.IOException;
import java.nio.file.Files;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Containers in the words of NRI. Safe for use by many threads. */
final class ContainerMessages {

  private static final Logger LOG = LoggerFactory.getLogger(ContainerMessages.class);
  private static final ObjectMapper JSON = new ObjectMapper();

  private ContainerMessages() {}

  /** A container that is being made, by the spec that it would get. */
  static Container beingMade(ContainerContext context, byte[] spec) {
    try {
      return described(context, JSON.readTree(spec))
          .setState(ContainerState.CONTAINER_CREATED)
          .setCreatedAt(TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis()))
          .build();
    } catch (IOException e) {
      throw new IllegalArgumentException("the spec is no JSON", e);
    }
  }

  /** A container that exists, whose cell is locked, in the state that is to be told. */
  static Container of(Cell<ContainerContext> cell, NodeAccess node, ContainerState state) {
    Container described = cell.described();
    if (described == null) {
      described = read(cell.context());
      cell.setDescribed(described);
    }
    Container.Builder container = described.toBuilder().setState(state);
    node.status(cell.id()).ifPresent(status -> fill(container, status));
    if (state == ContainerState.CONTAINER_RUNNING || state == ContainerState.CONTAINER_CREATED) {
      container.setPid(node.pid(cell.id()));
    }
    return container.build();
  }

  private static void fill(Container.Builder container, ContainerStatus status) {
    container
        .setCreatedAt(status.getCreatedAt())
        .setStartedAt(status.getStartedAt())
        .setFinishedAt(status.getFinishedAt())
        .setExitCode(status.getExitCode())
        .setStatusReason(status.getReason())
        .setStatusMessage(status.getMessage());
    container
        .getLinuxBuilder()
        .getResourcesBuilder()
        .mergeFrom(unifiedOnly(Resources.ofCri(status.getResources().getLinux())));
  }

  /** Huge page limits are a list, which a merge would double; they don't change with time. */
  private static io.keelson.proto.nri.v1alpha1.LinuxResources unifiedOnly(
      io.keelson.proto.nri.v1alpha1.LinuxResources resources) {
    return resources.toBuilder().clearHugepageLimits().build();
  }

  private static Container read(ContainerContext context) {
    try {
      byte[] spec = Files.readAllBytes(context.bundle().resolve("config.json"));
      return described(context, JSON.readTree(spec)).build();
    } catch (IOException e) {
      LOG.atDebug()
          .addKeyValue("container", context.id())
          .setCause(e)
          .log("a container is described to NRI plugins without its spec");
      return described(context, JSON.missingNode()).build();
    }
  }

  private static Container.Builder described(ContainerContext context, JsonNode spec) {
    ContainerConfig config = context.config();
    Container.Builder container =
        Container.newBuilder()
            .setId(context.id())
            .setPodSandboxId(context.pod().id())
            .setName(config.getMetadata().getName())
            .putAllLabels(config.getLabelsMap())
            .putAllAnnotations(config.getAnnotationsMap())
            .setImage(
                Image.newBuilder()
                    .setName(config.getImage().getImage())
                    .setDigest(
                        context.image().repoDigests().stream()
                            .findFirst()
                            .map(reference -> reference.substring(reference.indexOf('@') + 1))
                            .orElse(""))
                    .setConfigDigest(context.image().id()));
    config
        .getCDIDevicesList()
        .forEach(
            device -> container.addCDIDevices(CDIDevice.newBuilder().setName(device.getName())));
    SpecReader.read(spec, container);
    if (config.getLinux().getSecurityContext().hasSeccomp()) { // else it has none
      container
          .getLinuxBuilder()
          .setSeccompProfile(seccomp(config.getLinux().getSecurityContext().getSeccomp()));
    }
    return container;
  }

  private static SecurityProfile seccomp(io.keelson.proto.cri.v1.SecurityProfile profile) {
    return SecurityProfile.newBuilder()
        .setProfileTypeValue(profile.getProfileTypeValue())
        .setLocalhostRef(profile.getLocalhostRef())
        .build();
  }
}
