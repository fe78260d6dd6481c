package io.keelson.runtime.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** The keys of the table {@code [devices]}. */
final class DeviceKeys {

  static final Key<Path> PLUGIN_DIR =
      Key.derived(
          "devices.plugin_dir",
          ValueTypes.ABSOLUTE_PATH,
          values -> values.get(Keys.ROOT).resolve("device-plugins"),
          """
          Where vendors' device plugins register (kubelet.sock) and keep their sockets. Default:
          device-plugins in the root folder. On a node without a kubelet set it to
          /var/lib/kubelet/device-plugins, which most vendors have built into their plugins.\
          """);

  static final Key<Path> REGISTRATION_DIR =
      Key.derived(
          "devices.registration_dir",
          ValueTypes.ABSOLUTE_PATH,
          values -> values.get(Keys.ROOT).resolve("plugins_registry"),
          """
          The folder that is watched for the sockets of plugins that register by themselves: device
          plugins and CSI drivers. Default: plugins_registry in the root folder; a kubelet's is
          /var/lib/kubelet/plugins_registry.\
          """);

  static final Key<Duration> PLUGIN_WAIT =
      Key.of(
          "devices.plugin_wait",
          ValueTypes.duration(Duration.ofMillis(1), Duration.ofMinutes(10)),
          Duration.ofSeconds(30),
          """
          How long a request for devices waits for a plugin that is not back yet, after a start of
          the daemon or an end of the plugin.\
          """);

  static final Key<List<Path>> CDI_DIRS =
      Key.of(
          "devices.cdi_dirs",
          ValueTypes.listOf(ValueTypes.ABSOLUTE_PATH, "absolute paths"),
          List.of(Path.of("/etc/cdi"), Path.of("/var/run/cdi")),
          """
          Where specs of the Container Device Interface are looked for; later folders win. Changes
          are seen by the next container.\
          """);

  static final Key<Path> DEFINITIONS_DIR =
      Key.of(
          "devices.definitions_dir",
          ValueTypes.ABSOLUTE_PATH,
          Path.of("/etc/keelson/devices.d"),
          """
          Files (*.toml) that define what the built-in plugins offer: [[unix]], [[gpu]], [[usb]] and
          [[nic]] tables. Without any there is nothing built in.\
          """);

  static final Key<Duration> LOOK_INTERVAL =
      Key.of(
          "devices.look_interval",
          ValueTypes.duration(Duration.ofMillis(50), Duration.ofHours(1)),
          Duration.ofSeconds(2),
          """
          How often the built-in plugins look at the host for devices that have come or gone. USB
          devices need no look: the kernel tells of them at once.\
          """);

  static final Key<Path> POD_RESOURCES_SOCKET =
      Key.derived(
          "devices.pod_resources_socket",
          ValueTypes.ABSOLUTE_PATH,
          values -> values.get(Keys.STATE).resolve("pod-resources/kubelet.sock"),
          """
          Where monitors such as GPU exporters ask which pod holds which device (pod resources API
          v1). Default: pod-resources/kubelet.sock in the state folder; a kubelet's is
          /var/lib/kubelet/pod-resources/kubelet.sock.\
          """);

  static final Key<Boolean> OWNERS_FROM_USER =
      Key.of(
          "devices.owners_from_user",
          ValueTypes.BOOLEAN,
          false,
          """
          Device nodes that a plugin asks for belong to the user that the container runs as, and
          not to their owner on the host.\
          """);

  private DeviceKeys() {}
}
