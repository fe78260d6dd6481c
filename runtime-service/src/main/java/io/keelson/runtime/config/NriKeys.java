package io.keelson.runtime.config;

import java.nio.file.Path;
import java.time.Duration;

/** The keys of the table {@code [nri]}. */
final class NriKeys {

  static final Key<Boolean> ENABLED =
      Key.of(
          "nri.enabled",
          ValueTypes.BOOLEAN,
          true,
          """
          Plugins of the Node Resource Interface may follow pods and containers, adjust those that
          are made and change the resources of those that run. Without any, pods pay nothing.\
          """);

  static final Key<Path> SOCKET =
      Key.of(
          "nri.socket",
          ValueTypes.ABSOLUTE_PATH,
          Path.of("/var/run/nri/nri.sock"),
          """
          The unix socket that plugins connect to. Whoever may connect can become root on this
          node. If another runtime serves it, plugins can't connect here.\
          """);

  static final Key<Path> PLUGIN_DIR =
      Key.of(
          "nri.plugin_dir",
          ValueTypes.ABSOLUTE_PATH,
          Path.of("/opt/nri/plugins"),
          """
          Plugins, named NN-name, that are started with the daemon and end with it. NN are two
          digits: plugins are asked in their order.\
          """);

  static final Key<Path> CONFIG_DIR =
      Key.of(
          "nri.config_dir",
          ValueTypes.ABSOLUTE_PATH,
          Path.of("/etc/nri/conf.d"),
          """
          The configuration of the plugins in plugin_dir: NN-name.conf, else name.conf.\
          """);

  static final Key<Duration> REGISTRATION_TIMEOUT =
      Key.of(
          "nri.registration_timeout",
          ValueTypes.duration(Duration.ofMillis(100), Duration.ofMinutes(10)),
          Duration.ofSeconds(5),
          """
          How long a plugin may take to register, and how long to take note of what there is.\
          """);

  static final Key<Duration> REQUEST_TIMEOUT =
      Key.of(
          "nri.request_timeout",
          ValueTypes.duration(Duration.ofMillis(10), Duration.ofMinutes(10)),
          Duration.ofSeconds(2),
          """
          How long a plugin may take for any other call. One that takes longer is disconnected, and
          the pod goes on without it.\
          """);

  private NriKeys() {}
}
