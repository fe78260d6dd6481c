package io.keelson.image.store;

import io.keelson.image.manifest.ImageConfig;
import io.keelson.image.reference.Digest;
import io.keelson.sandbox.port.ImageDescription;
import java.util.List;

/**
 * An image that is here in full.
 *
 * @param description what containers and callers see of it
 * @param chainIds its layers, lowest first
 */
public record StoredImage(ImageConfig config, ImageDescription description, List<Digest> chainIds) {

  public StoredImage {
    chainIds = List.copyOf(chainIds);
  }

  static StoredImage of(ImageConfig config, ImageRecord names, long size) {
    ImageDescription description =
        new ImageDescription(
            config.id().toString(),
            names.tags(),
            names.digests(),
            size,
            config.user(),
            config.env(),
            config.entrypoint(),
            config.command(),
            config.workingDirectory(),
            config.stopSignal(),
            config.labels(),
            config.volumes());
    return new StoredImage(config, description, config.chainIds());
  }

  public Digest id() {
    return config.id();
  }
}
