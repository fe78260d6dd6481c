package io.keelson.image.store;

import io.keelson.image.manifest.ManifestParser;
import io.keelson.image.reference.Digest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Compares the store with its digests: configs with the images' ids, layers with the seals that
 * they got when they were on the disk, kept blobs with what the manifest said. Changes nothing.
 * Safe for use by many threads.
 */
public final class StoreCheck {

  private final StoreFolders folders;
  private final LayerStore layers;
  private final ImageCatalog catalog;
  private final ManifestParser parser = new ManifestParser();

  public StoreCheck(StoreFolders folders, LayerStore layers, ImageCatalog catalog) {
    this.folders = folders;
    this.layers = layers;
    this.catalog = catalog;
  }

  /**
   * Something that is wrong.
   *
   * @param subject the image's id, or the layer's chain id
   * @param images ids of the images that suffer
   * @param remedy what to do
   */
  public record Finding(String subject, List<String> images, String problem, String remedy) {
    public Finding {
      images = List.copyOf(images);
    }
  }

  /**
   * What was looked at.
   *
   * @param unsealed layers of which only the presence could be checked, since they are new or
   *     folders of the host
   */
  public record Report(int images, int layers, int unsealed, List<Finding> findings) {
    public Report {
      findings = List.copyOf(findings);
    }
  }

  /**
   * Reads all of the store, which may take long.
   *
   * @param check comes often, and ends the work by what it throws
   */
  public Report run(Runnable check) throws IOException {
    List<Finding> findings = new ArrayList<>();
    List<StoredImage> images = catalog.list();
    Map<Digest, List<String>> users = new LinkedHashMap<>();
    for (StoredImage image : images) {
      check.run();
      checkConfig(image).ifPresent(findings::add);
      for (Digest chainId : image.chainIds()) {
        users.computeIfAbsent(chainId, id -> new ArrayList<>()).add(image.id().toString());
      }
    }
    int unsealed = 0;
    for (Map.Entry<Digest, List<String>> entry : users.entrySet()) {
      Digest chainId = entry.getKey();
      Optional<Layer> layer = layers.retain(chainId);
      if (layer.isEmpty()) {
        // Removed meanwhile.
        continue;
      }
      try {
        LayerRecord record = layers.record(chainId);
        unsealed += record.seal() == null ? 1 : 0;
        problem(layer.get(), record, check)
            .ifPresent(problem -> findings.add(finding(chainId.toString(), entry, problem)));
      } catch (IOException e) {
        findings.add(finding(chainId.toString(), entry, "it can't be read: " + e.getMessage()));
      } finally {
        layers.release(List.of(chainId));
      }
    }
    return new Report(images.size(), users.size(), unsealed, findings);
  }

  private static Finding finding(
      String subject, Map.Entry<Digest, List<String>> layer, String problem) {
    return new Finding(subject, layer.getValue(), problem, remedy(layer.getValue()));
  }

  private Optional<Finding> checkConfig(StoredImage image) {
    String id = image.id().toString();
    String problem;
    try {
      byte[] content =
          Files.readAllBytes(folders.images().resolve(image.id().hex()).resolve("config.json"));
      if (parser.config(content, id).id().equals(image.id())) {
        return Optional.empty();
      }
      problem = "its config is not the one that its id names";
    } catch (IOException e) {
      problem = "its config can't be read: " + e.getMessage();
    }
    if (catalog.find(image.id()).isEmpty()) {
      // Removed meanwhile.
      return Optional.empty();
    }
    return Optional.of(new Finding(id, List.of(id), problem, remedy(List.of(id))));
  }

  private static Optional<String> problem(Layer layer, LayerRecord record, Runnable check)
      throws IOException {
    if (!Files.isDirectory(layer.content())) {
      return Optional.of(layer.content() + " is not there");
    }
    if (record.seal() != null
        && !LayerSeal.of(layer.content(), check).toString().equals(record.seal())) {
      return Optional.of("its files are not what they were when they were unpacked");
    }
    Path folder = layer.content().resolveSibling(LayersOnDisk.BLOB);
    if (record.blob() != null && record.host() == null && Files.exists(folder)) {
      Digest expected = Digest.parse(record.blob());
      if (!LayerSeal.ofFile(folder, expected.algorithm(), check).equals(expected)) {
        return Optional.of("its kept blob does not have its digest");
      }
    }
    return Optional.empty();
  }

  private static String remedy(List<String> images) {
    return "remove the containers that use "
        + (images.size() == 1 ? "the image" : "these images")
        + ", then \"keelson rmi "
        + String.join(" ", images.stream().map(StoreCheck::shortId).toList())
        + "\" and pull again";
  }

  private static String shortId(String id) {
    String hex = id.substring(id.indexOf(':') + 1);
    return hex.substring(0, Math.min(12, hex.length()));
  }
}
