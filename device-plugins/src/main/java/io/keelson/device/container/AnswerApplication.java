package io.keelson.device.container;

import io.keelson.device.plugin.DevicePlugin;
import io.keelson.proto.deviceplugin.v1beta1.ContainerAllocateResponse;
import io.keelson.proto.deviceplugin.v1beta1.DeviceSpec;
import io.keelson.proto.deviceplugin.v1beta1.Mount;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.isolator.DeviceNodes;
import io.keelson.sandbox.spec.SpecBuilder;
import io.keelson.sandbox.spec.SpecDevice;
import io.keelson.sandbox.spec.SpecDeviceRule;
import io.keelson.sandbox.spec.SpecMount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Writes what a plugin answered to Allocate into a container's spec; CDI names are not its part.
 */
final class AnswerApplication {

  private static final String ALL_ACCESS = "rwm";

  /** Annotations of answers that are not the container's. */
  private static final Set<String> FOR_US =
      Set.of(DevicePlugin.MOUNTS_FOR_LABEL, DevicePlugin.NODE_OWNER, DevicePlugin.NODE_MODE);

  private AnswerApplication() {}

  /**
   * Writes the answer.
   *
   * @param imageLabels of the container's image: some mounts are for certain images only
   * @param privileged the container has access to all devices as it is
   */
  static void apply(
      ContainerAllocateResponse answer,
      SpecBuilder spec,
      DeviceAnnotations.Ownership ownership,
      Map<String, String> imageLabels,
      boolean privileged)
      throws IOException {
    answer.getEnvsMap().forEach(spec::env);
    String label = answer.getAnnotationsMap().getOrDefault(DevicePlugin.MOUNTS_FOR_LABEL, "");
    boolean mounts = label.isEmpty() || imageLabels.containsKey(label);
    for (Mount mount : mounts ? answer.getMountsList() : List.<Mount>of()) {
      spec.mount(
          SpecMount.bind(
              mount.getContainerPath(),
              mount.getHostPath(),
              "rbind",
              "rprivate",
              mount.getReadOnly() ? "ro" : "rw"));
    }
    for (DeviceSpec wanted : answer.getDevicesList()) {
      for (SpecDevice node : nodes(wanted)) {
        spec.device(owned(node, ownership));
        if (!privileged) {
          spec.limits().deviceRule(SpecDeviceRule.allow(node, access(wanted)));
        }
      }
    }
    answer
        .getAnnotationsMap()
        .forEach(
            (key, value) -> {
              if (!key.startsWith(DeviceAnnotations.CDI_PREFIX) && !FOR_US.contains(key)) {
                spec.annotation(key, value);
              }
            });
  }

  /** The nodes that are there; none of a device that was pulled out. */
  static List<SpecDevice> presentNodes(DeviceSpec wanted) throws IOException {
    return Files.exists(Path.of(wanted.getHostPath())) ? nodes(wanted) : List.of();
  }

  static List<SpecDevice> nodes(DeviceSpec wanted) throws IOException {
    Path host = Path.of(wanted.getHostPath());
    String inContainer =
        wanted.getContainerPath().isEmpty() ? wanted.getHostPath() : wanted.getContainerPath();
    try {
      Path real = host.toRealPath();
      if (Files.isDirectory(real)) {
        return DeviceNodes.below(real, inContainer);
      }
      return List.of(
          DeviceNodes.node(real, inContainer)
              .orElseThrow(
                  () -> new FailedPreconditionException("%s is no device node".formatted(host))));
    } catch (NoSuchFileException e) {
      throw new FailedPreconditionException(
          "device node %s, which the plugin names, does not exist".formatted(host), e);
    }
  }

  static SpecDevice owned(SpecDevice node, DeviceAnnotations.Ownership ownership) {
    return new SpecDevice(
        node.path(),
        node.kind(),
        node.major(),
        node.minor(),
        ownership.mode().orElse(node.fileMode()),
        ownership.uid().orElse(node.uid()),
        ownership.gid().orElse(node.gid()));
  }

  static String access(DeviceSpec wanted) {
    String access = wanted.getPermissions();
    if (access.chars().anyMatch(letter -> ALL_ACCESS.indexOf(letter) < 0)) {
      throw new InvalidRequestException(
          "device %s: permissions '%s' are not of the letters r, w and m"
              .formatted(wanted.getHostPath(), access));
    }
    return access.isEmpty() ? ALL_ACCESS : access;
  }
}
