package io.keelson.runtime.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

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

  static final Key<List<String>> REQUIRED_PLUGINS =
      Key.of(
          "nri.required_plugins",
          ValueTypes.listOf(
              ValueTypes.matching("([0-9]{2}-)?[a-zA-Z0-9_.+-]+", "the name of a plugin"), "names"),
          List.of(),
          """
          Plugins, by NAME or NN-NAME, without which no container is made. A pod asks for more by
          the annotation required-plugins.noderesource.dev (a YAML list of names), and for one of
          its containers by required-plugins.noderesource.dev/container.NAME.\
          """);

  static final Key<String> TOLERATE_MISSING_ANNOTATION =
      Key.of(
          "nri.tolerate_missing_annotation",
          ValueTypes.matching("[-a-zA-Z0-9_./]*", "the key of an annotation"),
          "",
          """
          A pod whose annotation of this key says "true" (for one container: with /container.NAME
          behind the key) is made without the required plugins too; "" for none. The pods of the
          plugins themselves need it.\
          """);

  static final Key<List<NriRestriction>> REJECTED_ADJUSTMENTS =
      Key.of(
          "nri.rejected_adjustments",
          ValueTypes.listOf(ValueTypes.choice(NriRestriction.class), "adjustments"),
          List.of(),
          """
          What plugins may not adjust: "hooks", "namespaces", "sysctls", and the seccomp filter of
          a container that has the default one ("seccomp_default"), a file of its own
          ("seccomp_localhost") or none ("seccomp_unconfined"). A container of which a plugin wants
          it is not made.\
          """);

  static final Key<Optional<Path>> BLOCK_IO_FILE =
      Key.of(
          "nri.block_io_file",
          ValueTypes.OPTIONAL_PATH,
          Optional.empty(),
          """
          The classes of block I/O that plugins may put a container in: a YAML file, read again
          for each container, with Classes: NAME: a list of Devices (globs), ThrottleReadBps,
          ThrottleWriteBps, ThrottleReadIOPS, ThrottleWriteIOPS, Weight; "" for none.\
          """);

  private NriKeys() {}
}
