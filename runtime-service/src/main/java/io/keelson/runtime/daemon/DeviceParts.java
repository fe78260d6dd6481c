package io.keelson.runtime.daemon;

import io.keelson.device.DeviceSettings;
import io.keelson.device.Devices;
import io.keelson.device.registration.PluginHandler;
import io.keelson.device.registration.PluginWatcher;
import io.keelson.runtime.config.Configuration;
import io.keelson.sandbox.rpc.UnixChannels;
import java.io.IOException;
import java.util.Map;

/** Puts the devices of the node together, as the configuration says. */
final class DeviceParts {

  private DeviceParts() {}

  static Devices open(Configuration configuration, UnixChannels channels, Shutdown shutdown)
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
                devices.ownersFromUser()),
            channels,
            HaltAtStep.of(System.getenv(HaltAtStep.VARIABLE))));
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
}
