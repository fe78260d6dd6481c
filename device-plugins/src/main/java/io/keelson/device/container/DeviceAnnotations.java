package io.keelson.device.container;

import io.keelson.device.allocation.Claimant;
import io.keelson.device.allocation.DeviceRequest;
import io.keelson.device.plugin.DevicePlugin;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxMetadata;
import io.keelson.sandbox.error.InvalidRequestException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The annotations by which a person asks for devices. */
public final class DeviceAnnotations {

  /**
   * {@code vendor.example/device=1, …}: on a container for it alone, on a pod for all of its
   * containers.
   */
  public static final String REQUEST = "devices.keelson.io/request";

  /** On a pod, with the name of a container behind it: for that container alone. */
  public static final String REQUEST_FOR = REQUEST + ".";

  /** {@code uid:gid} of the nodes of all requested devices, in the container. */
  public static final String OWNER = DevicePlugin.NODE_OWNER;

  /** Permission bits of those nodes, octal: {@code 0660}. */
  public static final String MODE = DevicePlugin.NODE_MODE;

  /** Any annotation that begins so names CDI devices, with commas between them. */
  public static final String CDI_PREFIX = "cdi.k8s.io/";

  private DeviceAnnotations() {}

  /** Owner and mode where an annotation names them. */
  public record Ownership(Optional<Long> uid, Optional<Long> gid, Optional<Integer> mode) {

    /** The other's where this one says nothing. */
    Ownership or(Ownership other) {
      return new Ownership(uid.or(other::uid), gid.or(other::gid), mode.or(other::mode));
    }
  }

  /** What a pod asks for as a whole. */
  public static List<DeviceRequest> ofPod(PodSandboxConfig pod) {
    return DeviceRequest.parse(pod.getAnnotationsMap().getOrDefault(REQUEST, ""));
  }

  /** What a container asks for. */
  public static List<DeviceRequest> ofContainer(PodSandboxConfig pod, ContainerConfig container) {
    String onPod =
        pod.getAnnotationsMap().getOrDefault(REQUEST_FOR + container.getMetadata().getName(), "");
    String own = container.getAnnotationsMap().getOrDefault(REQUEST, "");
    // The same text on both is one wish that somebody wrote twice.
    return DeviceRequest.parse(own.equals(onPod) ? own : own + "," + onPod);
  }

  /** The CDI devices that a container's annotations name. */
  public static List<String> cdiNames(Map<String, String> annotations) {
    List<String> names = new ArrayList<>();
    new TreeMap<>(annotations)
        .forEach(
            (key, value) -> {
              if (key.startsWith(CDI_PREFIX)) {
                for (String name : value.split(",", -1)) {
                  if (!name.isBlank()) {
                    names.add(name.strip());
                  }
                }
              }
            });
    return names;
  }

  /** Owner and mode as annotations name them. */
  static Ownership ownership(Map<String, String> annotations) {
    Optional<String> owner = Optional.ofNullable(annotations.get(OWNER));
    Optional<String> mode = Optional.ofNullable(annotations.get(MODE));
    Optional<Long> uid = Optional.empty();
    Optional<Long> gid = Optional.empty();
    if (owner.isPresent()) {
      String[] parts = owner.get().split(":", -1);
      if (parts.length > 2) {
        throw malformed(OWNER, owner.get(), "uid:gid");
      }
      uid = Optional.of(number(parts[0], OWNER, owner.get()));
      gid = parts.length == 2 ? Optional.of(number(parts[1], OWNER, owner.get())) : uid;
    }
    if (mode.isPresent() && !mode.get().matches("0?[0-7]{3}")) {
      throw malformed(MODE, mode.get(), "permission bits such as 0660");
    }
    return new Ownership(uid, gid, mode.map(text -> Integer.valueOf(text, 8)));
  }

  private static long number(String text, String key, String value) {
    if (!text.matches("[0-9]{1,10}")) {
      throw malformed(key, value, "uid:gid");
    }
    return Long.parseLong(text);
  }

  private static InvalidRequestException malformed(String key, String value, String form) {
    return new InvalidRequestException(
        "annotation %s must be %s, not \"%s\"".formatted(key, form, value));
  }

  /** The claimant of a pod's own devices. */
  public static Claimant claimant(String sandboxId, PodSandboxConfig pod) {
    return claimant(sandboxId, pod, "", "");
  }

  /** The claimant of one container's devices. */
  public static Claimant claimant(
      String sandboxId, PodSandboxConfig pod, String container, String containerId) {
    PodSandboxMetadata metadata = pod.getMetadata();
    return new Claimant(
        metadata.getUid(),
        metadata.getNamespace(),
        metadata.getName(),
        sandboxId,
        container,
        containerId);
  }
}
