package io.keelson.device.cdi;

import io.keelson.sandbox.spec.SpecHook;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a device, or a spec for all of its devices, changes in a container (CDI, containerEdits).
 *
 * @param env {@code NAME=value}
 * @param additionalGids of the container's process
 */
public record CdiEdits(
    List<String> env,
    List<DeviceNode> deviceNodes,
    List<NetDevice> netDevices,
    List<Hook> hooks,
    List<Mount> mounts,
    Optional<IntelRdt> intelRdt,
    List<Long> additionalGids) {

  public static final CdiEdits NONE =
      new CdiEdits(
          List.of(), List.of(), List.of(), List.of(), List.of(), Optional.empty(), List.of());

  public CdiEdits {
    env = List.copyOf(env);
    deviceNodes = List.copyOf(deviceNodes);
    netDevices = List.copyOf(netDevices);
    hooks = List.copyOf(hooks);
    mounts = List.copyOf(mounts);
    additionalGids = List.copyOf(additionalGids);
  }

  /**
   * A device node.
   *
   * @param path in the container
   * @param hostPath empty if it is the same
   * @param type {@code b}, {@code c}, {@code u}, {@code p}; empty for that of the host's node
   * @param permissions letters of r, w and m; empty for all
   */
  public record DeviceNode(
      String path,
      String hostPath,
      String type,
      @Nullable Long major,
      @Nullable Long minor,
      @Nullable Integer fileMode,
      String permissions,
      @Nullable Long uid,
      @Nullable Long gid) {}

  /** An interface of the host that goes into the container's network namespace under this name. */
  public record NetDevice(String hostInterface, String name) {}

  /** A program that runs at a point of the container's life. */
  public record Hook(SpecHook.Stage stage, SpecHook hook) {}

  /**
   * A mount.
   *
   * @param type empty for a bind mount
   */
  public record Mount(String hostPath, String containerPath, List<String> options, String type) {
    public Mount {
      options = List.copyOf(options);
    }
  }

  /**
   * Resource Director Technology (OCI runtime spec, {@code linux.intelRdt}); empty texts are unset.
   */
  public record IntelRdt(
      String closId,
      String l3CacheSchema,
      String memBwSchema,
      List<String> schemata,
      boolean enableMonitoring) {
    public IntelRdt {
      schemata = List.copyOf(schemata);
    }
  }

  /** These edits, then the other ones. */
  CdiEdits then(CdiEdits next) {
    return new CdiEdits(
        concat(env, next.env),
        concat(deviceNodes, next.deviceNodes),
        concat(netDevices, next.netDevices),
        concat(hooks, next.hooks),
        concat(mounts, next.mounts),
        next.intelRdt.or(() -> intelRdt),
        concat(additionalGids, next.additionalGids));
  }

  private static <T> List<T> concat(List<T> first, List<T> second) {
    List<T> all = new ArrayList<>(first);
    all.addAll(second);
    return all;
  }
}
