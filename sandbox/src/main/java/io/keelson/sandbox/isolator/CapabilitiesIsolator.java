package io.keelson.sandbox.isolator;

import io.keelson.proto.cri.v1.Capability;
import io.keelson.proto.cri.v1.LinuxContainerSecurityContext;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.spec.SpecBuilder;
import io.keelson.sandbox.spec.SpecCapabilities;
import java.util.List;
import java.util.Locale;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * The capabilities of the process: the field's default set, then ALL in either list, then what is
 * added, then what is dropped, so that "all but these" and "none but these" can be said. Ambient
 * ones are granted too. A privileged container has all. Nobody gets more than the daemon's own
 * bounding set.
 */
public final class CapabilitiesIsolator implements Isolator {

  private static final String ALL = "ALL";

  private static final List<KernelCapability> DEFAULTS =
      List.of(
          KernelCapability.AUDIT_WRITE,
          KernelCapability.CHOWN,
          KernelCapability.DAC_OVERRIDE,
          KernelCapability.FOWNER,
          KernelCapability.FSETID,
          KernelCapability.KILL,
          KernelCapability.MKNOD,
          KernelCapability.NET_BIND_SERVICE,
          KernelCapability.NET_RAW,
          KernelCapability.SETFCAP,
          KernelCapability.SETGID,
          KernelCapability.SETPCAP,
          KernelCapability.SETUID,
          KernelCapability.SYS_CHROOT);

  private final HostFeatures host;

  public CapabilitiesIsolator(HostFeatures host) {
    this.host = host;
  }

  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) {
    LinuxContainerSecurityContext security = container.config().getLinux().getSecurityContext();
    Capability wanted = security.getCapabilities();
    SortedSet<String> ambient = named(wanted.getAddAmbientCapabilitiesList());
    if (hasAll(wanted.getAddAmbientCapabilitiesList())) {
      ambient.addAll(host.capabilities());
    }
    SortedSet<String> dropped = named(wanted.getDropCapabilitiesList());
    SortedSet<String> granted = new TreeSet<>();
    if (hasAll(wanted.getAddCapabilitiesList())) {
      granted.addAll(host.capabilities());
    } else {
      DEFAULTS.forEach(capability -> granted.add(capability.ociName()));
    }
    if (hasAll(wanted.getDropCapabilitiesList())) {
      granted.clear();
    }
    granted.addAll(named(wanted.getAddCapabilitiesList()));
    granted.addAll(ambient);
    granted.removeAll(dropped);
    if (security.getPrivileged()) {
      granted.addAll(host.capabilities());
    }
    granted.retainAll(host.capabilities());
    ambient.retainAll(granted);
    spec.capabilities(SpecCapabilities.of(granted, ambient));
  }

  private static boolean hasAll(List<String> names) {
    return names.stream().anyMatch(ALL::equalsIgnoreCase);
  }

  private static SortedSet<String> named(List<String> names) {
    SortedSet<String> found = new TreeSet<>();
    for (String name : names) {
      if (!name.equalsIgnoreCase(ALL)) {
        found.add(
            KernelCapability.parse(name)
                .orElseThrow(
                    () ->
                        new InvalidRequestException(
                            "unknown capability '%s'".formatted(name.toUpperCase(Locale.ROOT))))
                .ociName());
      }
    }
    return found;
  }
}
