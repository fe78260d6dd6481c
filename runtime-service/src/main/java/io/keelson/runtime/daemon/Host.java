package io.keelson.runtime.daemon;

import io.keelson.linux.cgroup.CgroupDriver;
import io.keelson.linux.cgroup.Cgroups;
import io.keelson.sandbox.port.RuntimeHandler;
import java.nio.file.Path;
import java.util.Map;

/**
 * What the daemon found on the host that it needs.
 *
 * @param handlers the OCI runtimes whose programs are there, by name
 * @param catatonit where it is, or should be: only pods that share a PID namespace need it
 */
record Host(
    Path conmon,
    Path catatonit,
    Map<String, RuntimeHandler> handlers,
    Cgroups cgroups,
    CgroupDriver cgroupDriver) {

  Host {
    handlers = Map.copyOf(handlers);
  }
}
