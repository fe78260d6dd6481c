package io.keelson.image.source;

import io.keelson.image.manifest.ImageConfig;
import io.keelson.image.reference.Digest;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An image as a source offers it: all but the layers' content, checked against its digests.
 *
 * @param digest of the manifest or index that the source's name leads to, null where there is none
 * @param config of the image for this platform
 * @param layers lowest first, as many as the config has diff ids
 */
public record SourceImage(@Nullable Digest digest, ImageConfig config, List<LayerBlob> layers) {
  public SourceImage {
    layers = List.copyOf(layers);
  }
}
