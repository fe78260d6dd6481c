package io.keelson.sandbox;

import io.keelson.linux.cgroup.CgroupDriver;
import io.keelson.linux.cgroup.Cgroups;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.sandbox.error.InvalidRequestException;
import java.io.IOException;
import java.time.Duration;

/** Where pods and containers are in the tree of control groups, by the driver in force. */
final class PodCgroups {

  private static final Duration BUSY = Duration.ofSeconds(5);

  private final Cgroups cgroups;
  private final CgroupDriver driver;

  PodCgroups(Cgroups cgroups, CgroupDriver driver) {
    this.cgroups = cgroups;
    this.driver = driver;
  }

  /**
   * @throws InvalidRequestException for a parent that the driver can't use
   */
  void validateParent(String parent) {
    try {
      driver.parent(parent);
    } catch (IllegalArgumentException e) {
      throw new InvalidRequestException(
          "cgroup_parent \"" + parent + "\" does not suit the cgroup driver: " + e.getMessage(), e);
    }
  }

  /** The pod's own group: what the caller made for it, else one below Keelson's. */
  String parent(String sandboxId, PodSandboxConfig config) {
    String given = config.getLinux().getCgroupParent();
    if (!given.isEmpty()) {
      return driver.parent(given);
    }
    return switch (driver) {
      case CGROUPFS -> driver.parent("") + "/" + sandboxId;
      case SYSTEMD -> driver.parent("").replace(".slice", "-" + sandboxId + ".slice");
    };
  }

  /** The group of a container (or of the holder) in the form that the OCI spec takes. */
  String child(String sandboxId, PodSandboxConfig config, String childId) {
    return driver.cgroupsPath(parent(sandboxId, config), childId);
  }

  /** The path of the pod's own group below each hierarchy. */
  String parentGroup(String sandboxId, PodSandboxConfig config) {
    return driver.parentGroup(parent(sandboxId, config));
  }

  boolean exists(String sandboxId, PodSandboxConfig config) {
    return cgroups.exists(parentGroup(sandboxId, config));
  }

  /**
   * Removes the pod's group with what is below it. Harmless if there is none. A parent that the
   * caller named may be that of other pods too: the last one of them removes it.
   */
  void remove(String sandboxId, PodSandboxConfig config) throws IOException {
    String parent = parent(sandboxId, config);
    boolean shared = !config.getLinux().getCgroupParent().isEmpty();
    if (!shared || cgroups.processes(driver.parentGroup(parent)).isEmpty()) {
      driver.removeParent(cgroups, parent, BUSY);
    }
  }

  /**
   * Kills by the kernel for lack of memory so far in the container's own group; 0 if it is gone.
   */
  long oomKills(String cgroupsPath) throws IOException {
    return cgroups.oomKills(CgroupDriver.group(cgroupsPath));
  }

  /** Kills every process in the container's group. */
  boolean killAll(String cgroupsPath, Duration timeout) throws IOException {
    return cgroups.killAll(CgroupDriver.group(cgroupsPath), timeout);
  }
}
