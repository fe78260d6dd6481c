package io.keelson.integration.harness;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/**
 * An image whose layers are made in a registry as they are compressed, and never are in memory.
 *
 * @param layers how many
 * @param layerBytes how many compressed bytes each has, about
 * @param compression as {@link Deflater} counts it
 */
public record LargeImage(int layers, long layerBytes, int compression) {

  private record Blob(String digest, long size) {
    String descriptor(String mediaType) {
      return "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d}"
          .formatted(mediaType, digest, size);
    }
  }

  private record Layer(Blob blob, String diffId) {}

  private static final int FILES_IN_FOLDER = 30;
  private static final String MEDIA = "application/vnd.oci.image.";

  /**
   * Puts it into the registry with the tag 1; returns its name.
   *
   * @param folder for files that are gone when this returns
   */
  public String push(TestRegistry registry, String repository, Path folder) throws IOException {
    int cores = Runtime.getRuntime().availableProcessors();
    List<Layer> made = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(cores)) {
      List<Future<Layer>> tasks = new ArrayList<>();
      for (int i = 0; i < layers; i++) {
        int number = i;
        tasks.add(threads.submit(() -> layer(registry, repository, folder, number)));
      }
      for (Future<Layer> task : tasks) {
        made.add(task.get());
      }
    } catch (ExecutionException e) {
      throw new IOException(e.getCause());
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
    String config =
        "{\"architecture\":\"%s\",\"os\":\"linux\",\"config\":{},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[%s]}}"
            .formatted(
                System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64",
                made.stream()
                    .map(layer -> "\"" + layer.diffId + "\"")
                    .collect(Collectors.joining(",")));
    byte[] bytes = config.getBytes(StandardCharsets.UTF_8);
    Blob blob = new Blob(named(sha256().digest(bytes)), bytes.length);
    registry.pushBlob(repository, blob.digest, BodyPublishers.ofByteArray(bytes));
    registry.pushManifest(
        repository,
        "1",
        MEDIA + "manifest.v1+json",
        "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":%s,\"layers\":[%s]}"
            .formatted(
                MEDIA + "manifest.v1+json",
                blob.descriptor(MEDIA + "config.v1+json"),
                made.stream()
                    .map(layer -> layer.blob.descriptor(MEDIA + "layer.v1.tar+gzip"))
                    .collect(Collectors.joining(",")))
            .getBytes(StandardCharsets.UTF_8));
    return registry.host() + "/" + repository + ":1";
  }

  private Layer layer(TestRegistry registry, String repository, Path folder, int number)
      throws IOException {
    Path file = folder.resolve("layer" + number);
    MessageDigest blob = sha256();
    MessageDigest tar = sha256();
    try {
      try (OutputStream out = new DigestOutputStream(Files.newOutputStream(file), blob);
          OutputStream zipped = zipped(out);
          OutputStream digested = new DigestOutputStream(zipped, tar);
          OutputStream buffered = new BufferedOutputStream(digested, 1 << 16)) {
        write(buffered, file, number);
      }
      Layer layer =
          new Layer(new Blob(named(blob.digest()), Files.size(file)), named(tar.digest()));
      registry.pushBlob(repository, layer.blob.digest, BodyPublishers.ofFile(file));
      return layer;
    } finally {
      Files.deleteIfExists(file);
    }
  }

  private void write(OutputStream out, Path file, int number) throws IOException {
    RandomFiles contents = new RandomFiles(31L * layers + number);
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(out)) {
      String parent = "";
      for (int i = 0; Files.size(file) < layerBytes; i++) {
        if (i % FILES_IN_FOLDER == 0) {
          parent = "opt/layer%d/%d/".formatted(number, i / FILES_IN_FOLDER);
          tar.putArchiveEntry(new TarArchiveEntry(parent));
          tar.closeArchiveEntry();
        }
        byte[] content = contents.next();
        TarArchiveEntry entry = new TarArchiveEntry(parent + "file" + i);
        entry.setSize(content.length);
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
      }
    }
  }

  private OutputStream zipped(OutputStream out) throws IOException {
    return new GZIPOutputStream(out, 1 << 16) {
      {
        def.setLevel(compression);
      }
    };
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String named(byte[] hash) {
    return "sha256:" + HexFormat.of().formatHex(hash);
  }
}
