package io.keelson.sandbox.isolator;

import io.keelson.proto.cri.v1.Device;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.spec.SpecBuilder;
import io.keelson.sandbox.spec.SpecDevice;
import io.keelson.sandbox.spec.SpecDeviceRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/**
 * Device nodes and the access to them: nothing but the harmless ones, what the CRI's devices name
 * (a folder stands for all nodes below it), and everything for a privileged container.
 */
public final class DevicesIsolator implements Isolator {

  private static final Path DEV = Path.of("/dev");
  private static final String ALL_ACCESS = "rwm";

  /**
   * What every OCI runtime allows: making nodes (which gives no access), null, zero, full, random,
   * urandom, tty, console, ptmx and the container's own pseudo terminals.
   */
  private static final List<SpecDeviceRule> DEFAULTS =
      List.of(
          SpecDeviceRule.DENY_ALL,
          new SpecDeviceRule(true, SpecDevice.Kind.CHARACTER, null, null, "m"),
          new SpecDeviceRule(true, SpecDevice.Kind.BLOCK, null, null, "m"),
          character(1, 3L),
          character(1, 5L),
          character(1, 7L),
          character(1, 8L),
          character(1, 9L),
          character(5, 0L),
          character(5, 1L),
          character(5, 2L),
          new SpecDeviceRule(true, SpecDevice.Kind.CHARACTER, 136L, null, ALL_ACCESS));

  private final HostPaths hostPaths;

  public DevicesIsolator(HostPaths hostPaths) {
    this.hostPaths = hostPaths;
  }

  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) throws IOException {
    boolean privileged = container.config().getLinux().getSecurityContext().getPrivileged();
    if (privileged) {
      spec.limits().deviceRules(List.of(SpecDeviceRule.ALLOW_ALL));
      DeviceNodes.below(DEV, "/dev").forEach(spec::device);
    } else {
      spec.limits().deviceRules(DEFAULTS);
    }
    for (Device wanted : container.config().getDevicesList()) {
      String access = access(wanted);
      for (SpecDevice device : hostPaths.call(progress -> find(wanted, progress))) {
        spec.device(device);
        if (!privileged) {
          spec.limits().deviceRule(SpecDeviceRule.allow(device, access));
        }
      }
    }
  }

  private static SpecDeviceRule character(long major, long minor) {
    return new SpecDeviceRule(true, SpecDevice.Kind.CHARACTER, major, minor, ALL_ACCESS);
  }

  private static String access(Device device) {
    String access = device.getPermissions();
    if (access.chars().anyMatch(letter -> ALL_ACCESS.indexOf(letter) < 0)) {
      throw new InvalidRequestException(
          "device %s: permissions '%s' are not of the letters r, w and m"
              .formatted(device.getHostPath(), access));
    }
    return access.isEmpty() ? ALL_ACCESS : access;
  }

  private static List<SpecDevice> find(Device wanted, HostPaths.Progress progress)
      throws IOException {
    if (!wanted.getHostPath().startsWith("/")) {
      throw new InvalidRequestException(
          "device host_path '%s' is not absolute".formatted(wanted.getHostPath()));
    }
    Path named = Path.of(wanted.getHostPath());
    progress.touches(named);
    Path real;
    try {
      real = named.toRealPath();
    } catch (NoSuchFileException e) {
      throw new InvalidRequestException("device %s does not exist".formatted(named), e);
    }
    String containerPath =
        wanted.getContainerPath().isEmpty()
            ? named.toString()
            : Path.of("/", wanted.getContainerPath()).normalize().toString();
    if (Files.isDirectory(real)) {
      return DeviceNodes.below(real, containerPath);
    }
    return List.of(
        DeviceNodes.node(real, containerPath)
            .orElseThrow(
                () -> new InvalidRequestException("%s is no device node".formatted(named))));
  }
}
