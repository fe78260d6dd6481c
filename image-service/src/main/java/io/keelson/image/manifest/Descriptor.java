package io.keelson.image.manifest;

import io.keelson.image.reference.Digest;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Points to content (OCI image spec, descriptor).
 *
 * @param size in bytes
 * @param platform of a manifest in an index, null if the index does not say
 */
public record Descriptor(
    String mediaType,
    Digest digest,
    long size,
    @Nullable Platform platform,
    Map<String, String> annotations) {

  public Descriptor {
    annotations = Map.copyOf(annotations);
  }
}
