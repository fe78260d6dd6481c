package io.keelson.runtime.daemon;

import io.keelson.device.DeviceSettings;
import io.keelson.device.Devices;
import io.keelson.device.container.ContainerAccess;
import io.keelson.device.registration.PluginHandler;
import io.keelson.device.registration.PluginWatcher;
import io.keelson.linux.ProcessId;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.runtime.config.Configuration;
import io.keelson.sandbox.Containers;
import io.keelson.sandbox.FaultPoints;
import io.keelson.sandbox.rpc.UnixChannels;
import io.keelson.sandbox.spec.SpecDeviceRule;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Puts the devices of the node together, as the configuration says. */
final class DeviceParts {

  /** For another change of the same container. */
  private static final Duration HOTPLUG_PATIENCE = Duration.ofSeconds(30);

  private DeviceParts() {}

  static Devices open(
      Configuration configuration, UnixChannels channels, FaultPoints faults, Shutdown shutdown)
      throws IOException {
    Configuration.Devices devices = configuration.devices();
    return shutdown.add(
        "devices",
        Devices.open(
            new DeviceSettings(
                configuration.root().resolve("devices"),
                devices.pluginDir(),
                devices.pluginWait(),
                devices.cdiDirs(),
                devices.definitionsDir(),
                devices.lookInterval(),
                devices.podResourcesSocket(),
                devices.ownersFromUser()),
            channels,
            faults));
  }

  /**
   * Takes the plugins that register by a socket in the watched folder.
   *
   * @param handlers by the type that a plugin names
   */
  static void watch(
      Configuration configuration,
      Map<String, PluginHandler> handlers,
      UnixChannels channels,
      Shutdown shutdown)
      throws IOException {
    shutdown.add(
        "the plugin watcher",
        PluginWatcher.start(configuration.devices().registrationDir(), handlers, channels));
  }

  /** Lets devices come to containers that run. */
  static void openHotplug(Devices devices, Containers containers) {
    devices.openHotplug(
        new ContainerAccess() {
          @Override
          public Optional<ProcessId> init(String containerId) {
            return containers.init(containerId);
          }

          @Override
          public void deviceRules(String containerId, List<SpecDeviceRule> rules)
              throws IOException {
            containers.adjust(
                containerId,
                LinuxContainerResources.getDefaultInstance(),
                limits -> limits.deviceRules(rules),
                HOTPLUG_PATIENCE);
          }
        });
  }
}
