package io.keelson.sandbox;

import io.keelson.linux.cgroup.CgroupDriver;
import io.keelson.linux.cgroup.Cgroups;
import io.keelson.linux.cgroup.OomKillLedger;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.sandbox.error.InvalidRequestException;
import java.io.IOException;
import java.time.Duration;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where pods and containers are in the tree of control groups, by the driver in force. */
final class PodCgroups {

  private static final Logger LOG = LoggerFactory.getLogger(PodCgroups.class);

  /** systemd under load takes its time, and a caller gives two minutes. */
  private static final Duration BUSY = Duration.ofSeconds(20);

  private final Cgroups cgroups;
  private final CgroupDriver driver;
  private final OomKillLedger oomKills;

  PodCgroups(Cgroups cgroups, CgroupDriver driver) {
    this.cgroups = cgroups;
    this.driver = driver;
    this.oomKills = new OomKillLedger(cgroups);
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

  /** A container is about to be launched, the first of its pod perhaps. */
  void begin(String cgroupsPath) {
    try {
      oomKills.begin(CgroupDriver.group(cgroupsPath));
    } catch (IOException e) {
      unreadable(cgroupsPath, e);
    }
  }

  /**
   * All processes of a container have ended, which is told once of each.
   *
   * @param killed whether the first of them was killed
   * @param nanos when, since the epoch
   * @return whether the kernel killed any for want of memory
   */
  boolean end(String cgroupsPath, boolean killed, long nanos) {
    try {
      return oomKills.end(CgroupDriver.group(cgroupsPath), killed, nanos);
    } catch (IOException e) {
      unreadable(cgroupsPath, e);
      return false;
    }
  }

  private static void unreadable(String cgroupsPath, IOException why) {
    LOG.atWarn()
        .addKeyValue("cgroup", cgroupsPath)
        .log("kills for want of memory can't be counted: {}", String.valueOf(why));
  }

  /** What a container's record is to keep for {@link #recall}. */
  long oomKillsTold(String cgroupsPath) {
    return oomKills.told(CgroupDriver.group(cgroupsPath));
  }

  /** What the daemon that wrote a container's record knew. */
  void recall(String cgroupsPath, long oomKillsTold) {
    oomKills.recall(CgroupDriver.group(cgroupsPath), oomKillsTold);
  }

  /**
   * A pod is removed.
   *
   * @param others the pods that are left, which may have the same parent
   */
  void forget(String sandboxId, PodSandboxConfig config, Stream<PodSandboxConfig> others) {
    String given = config.getLinux().getCgroupParent();
    if (given.isEmpty()
        || others.noneMatch(other -> other.getLinux().getCgroupParent().equals(given))) {
      oomKills.forget(parentGroup(sandboxId, config));
    }
  }

  /** Kills every process in the container's group. */
  boolean killAll(String cgroupsPath, Duration timeout) throws IOException {
    return cgroups.killAll(CgroupDriver.group(cgroupsPath), timeout);
  }
}
