package io.keelson.sandbox.isolator;

import io.keelson.sandbox.port.ImageVolumes;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.spec.SpecRlimit;
import java.time.Duration;
import java.util.List;

/** The isolators that every container passes, in their order. */
public final class StandardIsolators {

  private StandardIsolators() {}

  /**
   * What an administrator may set.
   *
   * @param rlimits for every container; empty lets them inherit the daemon's
   * @param pidsLimit most tasks of a container; 0 for no limit
   * @param hostPathDeadline how long the host paths of one container may take to answer
   */
  public record Settings(List<SpecRlimit> rlimits, long pidsLimit, Duration hostPathDeadline) {

    public static final Settings DEFAULT = new Settings(List.of(), 0, Duration.ofSeconds(20));

    public Settings {
      rlimits = List.copyOf(rlimits);
    }
  }

  /**
   * Makes the isolators. Those that read what others have set come after them: user after process
   * (HOME), seccomp after capabilities, mounts after the label of files.
   *
   * @param host as probed at the start
   * @param targets finds the container whose PID namespace another one joins
   * @param volumes mounts images
   */
  public static List<Isolator> create(
      HostFeatures host, PidTargets targets, ImageVolumes volumes, Settings settings) {
    HostPaths hostPaths = new HostPaths(settings.hostPathDeadline());
    return List.of(
        new PrivilegeIsolator(),
        new RootfsIsolator(),
        new NamespacesIsolator(host, targets),
        new ProcessIsolator(),
        new UserIsolator(),
        new CapabilitiesIsolator(host),
        new SelinuxIsolator(host),
        new MountsIsolator(host, hostPaths, volumes),
        new RelabelIsolator(hostPaths),
        new DevicesIsolator(hostPaths),
        new ResourcesIsolator(host, settings.pidsLimit()),
        new RlimitsIsolator(settings.rlimits()),
        new PathsIsolator(),
        new SeccompIsolator(host),
        new AppArmorIsolator(host),
        new AnnotationsIsolator());
  }
}
