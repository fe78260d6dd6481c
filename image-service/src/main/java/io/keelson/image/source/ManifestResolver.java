package io.keelson.image.source;

import io.keelson.image.manifest.ArtifactLayer;
import io.keelson.image.manifest.Descriptor;
import io.keelson.image.manifest.ImageConfig;
import io.keelson.image.manifest.InvalidManifestException;
import io.keelson.image.manifest.Manifest;
import io.keelson.image.manifest.ManifestParser;
import io.keelson.image.manifest.Platform;
import io.keelson.image.manifest.PlatformChoice;
import io.keelson.image.reference.Digest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Follows a manifest or index to the image or artifact for this node, over any place that keeps
 * content by digest. Safe for use by many threads.
 */
public final class ManifestResolver {

  private static final int MAX_CONFIG = 8 << 20;
  private static final int MAX_DEPTH = 4;

  private final ManifestParser parser;
  private final Platform host;
  private final int maxManifest;

  /**
   * @param maxManifest the most bytes that a manifest or an index may have
   */
  public ManifestResolver(ManifestParser parser, Platform host, int maxManifest) {
    this.parser = parser;
    this.host = host;
    this.maxManifest = maxManifest;
  }

  /** The most bytes that a manifest or an index may have. */
  public int maxManifest() {
    return maxManifest;
  }

  ManifestParser parser() {
    return parser;
  }

  /** What images are for here. */
  Platform host() {
    return host;
  }

  /** Content by digest, checked against it. */
  public interface Content {
    byte[] manifest(Descriptor descriptor) throws IOException;

    byte[] blob(Descriptor descriptor) throws IOException;
  }

  /**
   * @param root a manifest or an index
   * @param digest of {@code root}
   * @param name for errors
   * @throws io.keelson.sandbox.error.NotFoundException if there is no image for this node
   */
  public SourceImage resolve(byte[] root, Digest digest, Content content, String name)
      throws IOException {
    byte[] raw = root;
    Manifest manifest = parser.manifest(root, name);
    for (int depth = 0; manifest instanceof Manifest.Index index; depth++) {
      if (depth == MAX_DEPTH) {
        throw new InvalidManifestException(name + " has indexes in indexes without an end");
      }
      Descriptor chosen = PlatformChoice.choose(index, host, name);
      limit(chosen, maxManifest, name);
      raw = content.manifest(chosen);
      manifest = parser.manifest(raw, name);
    }
    if (manifest instanceof Manifest.Artifact artifact) {
      ImageConfig description = parser.config(raw, name);
      return new SourceImage(digest, description, layers(artifact, description));
    }
    Manifest.Image image = (Manifest.Image) manifest;
    limit(image.config(), MAX_CONFIG, name);
    byte[] configContent = content.blob(image.config());
    ImageConfig config = parser.config(configContent, name);
    PlatformChoice.check(config, host, name);
    return new SourceImage(digest, config, layers(image, config, name));
  }

  private static List<LayerBlob> layers(Manifest.Image image, ImageConfig config, String name)
      throws InvalidManifestException {
    List<Descriptor> descriptors = image.layers();
    if (descriptors.size() != config.diffIds().size()) {
      throw new InvalidManifestException(
          "%s has %d layers in its manifest and %d in its config"
              .formatted(name, descriptors.size(), config.diffIds().size()));
    }
    List<LayerBlob> layers = new ArrayList<>();
    for (int i = 0; i < descriptors.size(); i++) {
      Descriptor descriptor = descriptors.get(i);
      layers.add(
          new LayerBlob(
              descriptor.digest().toString(),
              descriptor.digest(),
              descriptor.size(),
              config.diffIds().get(i)));
    }
    return layers;
  }

  private static List<LayerBlob> layers(Manifest.Artifact artifact, ImageConfig description) {
    List<LayerBlob> layers = new ArrayList<>();
    for (int i = 0; i < artifact.layers().size(); i++) {
      Descriptor layer = artifact.layers().get(i);
      layers.add(
          new LayerBlob(
              layer.digest().toString(),
              layer.digest(),
              layer.size(),
              description.diffIds().get(i),
              ArtifactLayer.path(layer)
                  .<LayerForm>map(LayerForm.SingleFile::new)
                  .orElseGet(LayerForm.UncheckedTar::new)));
    }
    return layers;
  }

  private static void limit(Descriptor descriptor, long max, String name)
      throws InvalidManifestException {
    if (descriptor.size() > max) {
      throw new InvalidManifestException(
          "%s has a manifest or config of %d bytes; %d are allowed"
              .formatted(name, descriptor.size(), max));
    }
  }
}
