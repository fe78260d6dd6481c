package io.keelson.sandbox.spec;

import org.jspecify.annotations.Nullable;

/**
 * One line of the device cgroup (OCI runtime spec, {@code linux.resources.devices}); later lines
 * win.
 *
 * @param major null for any
 * @param minor null for any
 * @param access of the letters {@code rwm}
 */
public record SpecDeviceRule(
    boolean allow,
    SpecDevice.Kind kind,
    @Nullable Long major,
    @Nullable Long minor,
    String access) {

  public static final SpecDeviceRule DENY_ALL =
      new SpecDeviceRule(false, SpecDevice.Kind.ALL, null, null, "rwm");
  public static final SpecDeviceRule ALLOW_ALL =
      new SpecDeviceRule(true, SpecDevice.Kind.ALL, null, null, "rwm");

  public static SpecDeviceRule allow(SpecDevice device, String access) {
    return new SpecDeviceRule(true, device.kind(), device.major(), device.minor(), access);
  }
}
