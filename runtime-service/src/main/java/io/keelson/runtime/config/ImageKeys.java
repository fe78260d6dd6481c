package io.keelson.runtime.config;

import io.keelson.image.rootfs.RootBackend;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The keys of the table {@code [images]}. */
final class ImageKeys {

  private static final long MIB = 1024 * 1024;
  private static final long TIB = MIB * MIB;

  static final Key<List<String>> INSECURE_REGISTRIES =
      Key.of(
          "images.insecure_registries",
          ValueTypes.listOf(ValueTypes.REGISTRY, "registries"),
          List.of(),
          """
          Registries, as host or host:port, that are spoken to by plain HTTP. Those on the loopback
          (localhost, 127.0.0.0/8, [::1]) may always be.\
          """);

  static final Key<Optional<Path>> CA_FILE =
      Key.of(
          "images.ca_file",
          ValueTypes.OPTIONAL_PATH,
          Optional.empty(),
          """
          Certificates (PEM) of registries that are trusted besides those that the system trusts;
          "" for none.\
          """);

  static final Key<List<Path>> HOSTS_DIRS =
      Key.of(
          "images.hosts_dirs",
          ValueTypes.listOf(ValueTypes.ABSOLUTE_PATH, "absolute paths"),
          List.of(
              Path.of("/etc/keelson/registries"),
              Path.of("/etc/containerd/certs.d"),
              Path.of("/etc/docker/certs.d")),
          """
          Where HOST[:PORT]/hosts.toml of a registry is looked for, in this order: its mirrors with
          their order and capabilities, headers, certificates and plain HTTP, as containerd has
          them; or a folder of certificates, as docker has it. _default in the place of the host
          counts for all others. Changes are seen at the next pull.\
          """);

  static final Key<List<Path>> AUTH_FILES =
      Key.of(
          "images.auth_files",
          ValueTypes.listOf(ValueTypes.ABSOLUTE_PATH, "absolute paths"),
          List.of(),
          """
          Credentials for pulls that bring none: files as docker login (config.json) or podman login
          (auth.json) write them, with their credential helpers. Whoever may start a pod here gets
          images by them; a kubelet brings its own.\
          """);

  static final Key<Duration> PROGRESS_TIMEOUT =
      Key.of(
          "images.progress_timeout",
          ValueTypes.duration(Duration.ofSeconds(1), Duration.ofHours(1)),
          Duration.ofSeconds(30),
          """
          How long a download may stand still before it is begun again where it stopped, some times
          over. There is no limit on how long a pull takes that goes on.\
          """);

  static final Key<Long> CONNECTIONS_PER_LAYER =
      Key.of(
          "images.connections_per_layer",
          ValueTypes.integer(1, 8),
          4L,
          """
          Over how many connections a large layer is fetched at the same time, where one is too slow
          and the registry knows ranges.\
          """);

  static final Key<List<String>> PINNED_IMAGES =
      Key.of(
          "images.pinned",
          ValueTypes.listOf(ValueTypes.IMAGE_PATTERN, "names of images"),
          List.of(),
          """
          Images that a kubelet's garbage collection must leave alone: names, or beginnings of
          names with a star at the end.\
          """);

  static final Key<Long> PARALLEL_LAYERS =
      Key.of(
          "images.parallel_layers",
          ValueTypes.integer(0, 64),
          0L,
          """
          How many layers are fetched and unpacked at the same time, over all pulls; 0 for one for
          each processor, at least 3 and at most 16.\
          """);

  static final Key<Long> MAX_MANIFEST_SIZE =
      Key.of(
          "images.max_manifest_size",
          ValueTypes.size(MIB / 16, 256 * MIB),
          4 * MIB,
          """
          The most that a manifest, or an index of manifests, may have; a larger one is refused.
          Registries must take up to 4MiB.\
          """);

  static final Key<Long> MAX_LAYER_SIZE =
      Key.of(
          "images.max_layer_size",
          ValueTypes.size(MIB, 1024 * TIB),
          TIB / 2,
          """
          The most that one layer may hold when unpacked; a larger one is refused.\
          """);

  static final Key<Long> MAX_LAYER_ENTRIES =
      Key.of(
          "images.max_layer_entries",
          ValueTypes.integer(1, 1_000_000_000),
          5_000_000L,
          """
          The most files, folders and links that one layer may hold; one with more is refused.\
          """);

  static final Key<Long> MAX_LAYER_RATIO =
      Key.of(
          "images.max_layer_ratio",
          ValueTypes.integer(2, 100_000),
          250L,
          """
          How many bytes a layer may unpack to for each byte that is fetched, once it holds more
          than 4GiB; one that grows further is taken for a bomb.\
          """);

  static final Key<RootBackend> ROOT_BACKEND =
      Key.of(
          "images.backend",
          ValueTypes.choice(RootBackend.class),
          RootBackend.OVERLAY,
          """
          How root file systems are made of layers: "overlay"; "erofs", the same over layers that
          are pulled as read-only images of their own (wants mkfs.erofs and Linux 6.12); "copy", which copies all of them for
          each container; or "bind", which shows them read-only, for images that have all
          folders and files that a container's mounts go to, as /etc/hosts, /etc/hostname and /etc/resolv.conf.\
          """);

  static final Key<Boolean> KEEP_BLOBS =
      Key.of(
          "images.keep_blobs",
          ValueTypes.BOOLEAN,
          false,
          """
          Keep the layers as they came, compressed, beside what they unpack to. What is here is not
          fetched again: for another image with the same layer, or after a layer was found broken.\
          """);

  static final Key<Optional<Path>> SIGNATURE_POLICY =
      Key.of(
          "images.signature_policy",
          ValueTypes.OPTIONAL_PATH,
          Optional.empty(),
          """
          A JSON file that says which programs must accept the images of which registries; "" to
          accept all. Changes are seen at the next pull.\
          """);

  private ImageKeys() {}
}
