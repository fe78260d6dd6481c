package io.keelson.integration.harness;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.zip.GZIPOutputStream;

/**
 * An image that is made on the spot: layers, an OCI configuration and a manifest.
 *
 * @param layers uncompressed tar files, the lowest first
 * @param settings JSON of the configuration's {@code config} object
 */
public record TestImage(List<byte[]> layers, String settings) {

  private static final Path BUSYBOX = Path.of("/bin/busybox");
  private static final String PLAIN = "{\"Env\":[\"PATH=/bin\"],\"Cmd\":[\"sh\"]}";

  /** A blob as a registry serves it. */
  public record Blob(String mediaType, byte[] content) {
    public String digest() {
      return TestImage.digest(content);
    }

    String descriptor() {
      return "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d}"
          .formatted(mediaType, digest(), content.length);
    }
  }

  /** A small Linux of busybox, with some users. */
  public static TestImage busybox() {
    return busybox(PLAIN);
  }

  /** The same with an OCI {@code config} object. */
  public static TestImage busybox(String settings) {
    return new TestImage(List.of(busyboxLayer()), settings);
  }

  /** The same with one more layer. */
  public TestImage with(TarFile layer) {
    List<byte[]> more = new ArrayList<>(layers);
    more.add(layer.bytes());
    return new TestImage(List.copyOf(more), settings);
  }

  private static byte[] busyboxLayer() {
    TarFile tar = new TarFile();
    for (String folder : List.of("bin", "dev", "etc", "proc", "root", "sys", "var", "www")) {
      tar.folder(folder, 0755);
    }
    tar.folder("tmp", 01777);
    tar.file("etc/passwd", 0644, PASSWD.getBytes(UTF_8));
    tar.file("etc/group", 0644, GROUP.getBytes(UTF_8));
    tar.file("www/index.html", 0644, "hello from the pod\n".getBytes(UTF_8));
    tar.file("bin/busybox", 0755, read(BUSYBOX));
    Shell.output(BUSYBOX.toString(), "--list")
        .lines()
        .filter(applet -> !applet.equals("busybox"))
        .forEach(applet -> tar.symlink("bin/" + applet, "busybox"));
    return tar.bytes();
  }

  private static final String PASSWD =
      """
      root:x:0:0:root:/root:/bin/sh
      web:x:1000:1001:Web:/www:/bin/sh
      nobody:x:65534:65534:nobody:/:/bin/false
      """;

  private static final String GROUP =
      """
      root:x:0:
      web:x:1001:
      extra:x:2002:web
      nogroup:x:65534:
      """;

  /** The layers as they travel, compressed. */
  public List<Blob> layerBlobs() {
    return layers.stream()
        .map(tar -> new Blob("application/vnd.oci.image.layer.v1.tar+gzip", gzip(tar)))
        .toList();
  }

  public Blob configuration() {
    StringJoiner diffIds = new StringJoiner(",");
    layers.forEach(layer -> diffIds.add("\"" + digest(layer) + "\""));
    String json =
        "{\"architecture\":\"%s\",\"os\":\"linux\",\"config\":%s,\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[%s]}}"
            .formatted(architecture(), settings, diffIds);
    return new Blob("application/vnd.oci.image.config.v1+json", json.getBytes(UTF_8));
  }

  public Blob manifest() {
    StringJoiner descriptors = new StringJoiner(",");
    layerBlobs().forEach(blob -> descriptors.add(blob.descriptor()));
    String mediaType = "application/vnd.oci.image.manifest.v1+json";
    String json =
        "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":%s,\"layers\":[%s]}"
            .formatted(mediaType, configuration().descriptor(), descriptors);
    return new Blob(mediaType, json.getBytes(UTF_8));
  }

  /** The id that CRI gives to the image. */
  public String id() {
    return configuration().digest();
  }

  /** Writes an OCI layout with one image of this name. */
  public Path writeLayout(Path folder, String name) throws IOException {
    Path blobs = Files.createDirectories(folder.resolve("blobs/sha256"));
    Blob manifest = manifest();
    List<Blob> all = new ArrayList<>(layerBlobs());
    all.add(configuration());
    all.add(manifest);
    for (Blob blob : all) {
      Files.write(blobs.resolve(blob.digest().substring("sha256:".length())), blob.content());
    }
    Files.writeString(folder.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
    String descriptor = manifest.descriptor();
    Files.writeString(
        folder.resolve("index.json"),
        "{\"schemaVersion\":2,\"manifests\":[%s,\"annotations\":{\"org.opencontainers.image.ref.name\":\"%s\"}}]}"
            .formatted(descriptor.substring(0, descriptor.length() - 1), name));
    return folder;
  }

  /** Writes an archive as {@code docker save} does. */
  public Path writeDockerArchive(Path file, String name) throws IOException {
    TarFile tar = new TarFile();
    Map<String, byte[]> files = new LinkedHashMap<>();
    StringJoiner names = new StringJoiner(",");
    for (byte[] layer : layers) {
      String path = digest(layer).substring("sha256:".length()) + "/layer.tar";
      files.put(path, layer);
      names.add("\"" + path + "\"");
    }
    Blob configuration = configuration();
    String configurationName = configuration.digest().substring("sha256:".length()) + ".json";
    files.put(configurationName, configuration.content());
    files.put(
        "manifest.json",
        "[{\"Config\":\"%s\",\"RepoTags\":[\"%s\"],\"Layers\":[%s]}]"
            .formatted(configurationName, name, names)
            .getBytes(UTF_8));
    files.forEach((path, content) -> tar.file(path, 0644, content));
    Files.write(file, tar.bytes());
    return file;
  }

  public static String digest(byte[] content) {
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(content);
      return "sha256:" + HexFormat.of().formatHex(hash);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static byte[] gzip(byte[] content) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
      gzip.write(content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static byte[] read(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String architecture() {
    return switch (System.getProperty("os.arch")) {
      case "amd64" -> "amd64";
      case "aarch64" -> "arm64";
      case String other -> other;
    };
  }
}
