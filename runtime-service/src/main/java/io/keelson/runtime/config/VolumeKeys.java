package io.keelson.runtime.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The keys of {@code [volumes]}. */
final class VolumeKeys {

  static final Key<List<String>> DRIVERS =
      Key.of(
          "volumes.drivers",
          ValueTypes.listOf(
              ValueTypes.matching(
                  "(unix://)?/.+|tcp://.+:[0-9]{1,5}", "unix:///path or tcp://host:port"),
              "endpoints"),
          List.of(),
          """
          CSI drivers that do not register themselves: unix:///path/csi.sock, or tcp://host:port,
          which is always TLS. A driver need not be there when the daemon starts.\
          """);

  static final Key<Optional<Path>> TLS_CA_FILE =
      Key.of(
          "volumes.tls_ca_file",
          ValueTypes.OPTIONAL_PATH,
          Optional.empty(),
          """
          Certificates (PEM) that CSI drivers on TCP are trusted by; "" for those that the system
          trusts.\
          """);

  static final Key<Optional<Path>> TLS_CERT_FILE =
      Key.of(
          "volumes.tls_cert_file",
          ValueTypes.OPTIONAL_PATH,
          Optional.empty(),
          """
          The daemon's own certificate (PEM) for drivers that ask for one; "" for none.\
          """);

  static final Key<Optional<Path>> TLS_KEY_FILE =
      Key.of(
          "volumes.tls_key_file",
          ValueTypes.OPTIONAL_PATH,
          Optional.empty(),
          """
          The key (PEM) of that certificate. All three files are read again when they have changed,
          for the next connection; while they are unfit, the last ones stay in use.\
          """);

  static final Key<Optional<Path>> SECRETS_DIR =
      Key.of(
          "volumes.secrets_dir",
          ValueTypes.OPTIONAL_PATH,
          Optional.of(Path.of("/etc/keelson/secrets")),
          """
          Secrets for CSI drivers and for volumes of secrets: a folder for each, in it a file for
          each key. They are read when they are needed, and neither logged nor kept; "" for none.\
          """);

  static final Key<List<Path>> DOCKER_PLUGIN_DIRS =
      Key.of(
          "volumes.docker_plugin_dirs",
          ValueTypes.listOf(ValueTypes.ABSOLUTE_PATH, "absolute paths"),
          List.of(
              Path.of("/run/docker/plugins"),
              Path.of("/etc/docker/plugins"),
              Path.of("/usr/lib/docker/plugins")),
          """
          Where Docker volume plugins are looked for: NAME.sock, or NAME.spec with a socket's
          address.\
          """);

  static final Key<Duration> CALL_TIMEOUT =
      Key.of(
          "volumes.call_timeout",
          ValueTypes.duration(Duration.ofSeconds(1), Duration.ofHours(1)),
          Duration.ofSeconds(60),
          """
          How long one call to a driver may take before it is made again.\
          """);

  static final Key<Duration> OPERATION_TIMEOUT =
      Key.of(
          "volumes.operation_timeout",
          ValueTypes.duration(Duration.ofSeconds(1), Duration.ofHours(24)),
          Duration.ofMinutes(2),
          """
          How long a volume may take to be published, with all calls and their repetitions, before
          the pod fails and what was done is undone.\
          """);

  static final Key<Duration> PROBE_INTERVAL =
      Key.of(
          "volumes.probe_interval",
          ValueTypes.duration(Duration.ofSeconds(1), Duration.ofHours(24)),
          Duration.ofSeconds(30),
          """
          How often CSI drivers are asked whether they are well, and whether their volumes are.\
          """);

  static final Key<Boolean> UNMOUNT_FORGOTTEN =
      Key.of(
          "volumes.unmount_forgotten",
          ValueTypes.BOOLEAN,
          false,
          """
          A volume that its driver does not know any more and that is still mounted is unmounted by
          the daemon. Otherwise it stays, and is listed as stuck, until somebody looks into it.\
          """);

  static final Key<Boolean> LOCAL_DRIVER =
      Key.of(
          "volumes.local_driver",
          ValueTypes.BOOLEAN,
          true,
          """
          The daemon itself answers as the CSI driver "local.csi.keelson.io", with volumes on this
          node's disk, unless another process does. It costs nothing before its first volume.\
          """);

  static final Key<Path> LOCAL_DRIVER_DIR =
      Key.derived(
          "volumes.local_driver_dir",
          ValueTypes.ABSOLUTE_PATH,
          values -> values.get(Keys.ROOT).resolve("local-volumes"),
          """
          Where that driver keeps its volumes. Default: local-volumes in the root folder.\
          """);

  static final Key<Long> WRITABLE_LAYER_LIMIT =
      Key.of(
          "volumes.writable_layer_limit",
          ValueTypes.size(0, Long.MAX_VALUE / 2),
          0L,
          """
          The most that a container may write into its root file system, unless its annotation
          quota.keelson.io/writable-layer-bytes says otherwise; 0 for no limit.\
          """);

  static final Key<OverLimit> OVER_LIMIT =
      Key.of(
          "volumes.over_limit",
          ValueTypes.choice(OverLimit.class),
          OverLimit.REFUSE,
          """
          What becomes of whoever writes more into a root file system or a shared folder than its
          limit allows. "refuse": the writer gets an error (EDQUOT or ENOSPC) if the file system of
          the root folder is mounted with prjquota (ext4, xfs); ext4 lets processes with
          CAP_SYS_RESOURCE pass. Elsewhere, and with "end", the folders are measured, and the
          container is ended with the reason DiskLimitExceeded.\
          """);

  static final Key<Duration> MEASURE_INTERVAL =
      Key.of(
          "volumes.measure_interval",
          ValueTypes.duration(Duration.ofMillis(100), Duration.ofHours(1)),
          Duration.ofSeconds(10),
          """
          How often folders with a limit are measured where the file system can't hold them to it.\
          """);

  private VolumeKeys() {}
}
