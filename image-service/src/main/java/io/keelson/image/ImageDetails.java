package io.keelson.image;

import io.keelson.sandbox.port.ImageDescription;
import java.util.List;

/**
 * All that is known of an image, for people who look closely.
 *
 * @param description the image as containers see it
 * @param configJson the image's config, as the registry served it
 * @param artifact whether it is no container image; {@code configJson} is its manifest then
 * @param layers lowest first
 * @param pinned the kubelet's garbage collection must leave it alone
 */
public record ImageDetails(
    ImageDescription description,
    String configJson,
    boolean artifact,
    List<LayerDetails> layers,
    boolean pinned) {

  /**
   * A layer in the store.
   *
   * @param diffId digest of the unpacked layer's tar
   * @param chainId its name in the store (OCI image spec, layer chain id)
   * @param bytes on disk
   */
  public record LayerDetails(String diffId, String chainId, long bytes, long inodes) {}

  public ImageDetails {
    layers = List.copyOf(layers);
  }

  /** The last layer's, which stands for all. */
  public String chainId() {
    return layers.isEmpty() ? "" : layers.getLast().chainId();
  }
}
