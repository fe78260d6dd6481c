package io.keelson.device.container;

import io.keelson.linux.ProcessId;
import io.keelson.sandbox.spec.SpecDeviceRule;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** What the core does for hotplug. Safe for use by many threads. */
public interface ContainerAccess {

  /** The init process of a container that runs. */
  Optional<ProcessId> init(String containerId);

  /** Replaces the rules of access to devices of a container that runs. */
  void deviceRules(String containerId, List<SpecDeviceRule> rules) throws IOException;
}
