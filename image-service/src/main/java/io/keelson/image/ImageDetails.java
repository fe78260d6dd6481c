package io.keelson.image;

import io.keelson.sandbox.port.ImageDescription;
import java.util.List;

/**
 * All that is known of an image, for people who look closely.
 *
 * @param description the image as containers see it
 * @param configJson the image's config, as the registry served it
 * @param diffIds digests of the unpacked layers' tars, lowest first
 * @param chainIds names of the layers in the store, lowest first (OCI image spec, layer chain id)
 * @param pinned the kubelet's garbage collection must leave it alone
 */
public record ImageDetails(
    ImageDescription description,
    String configJson,
    List<String> diffIds,
    List<String> chainIds,
    boolean pinned) {

  public ImageDetails {
    diffIds = List.copyOf(diffIds);
    chainIds = List.copyOf(chainIds);
  }
}
