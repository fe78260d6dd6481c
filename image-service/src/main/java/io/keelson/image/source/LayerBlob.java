package io.keelson.image.source;

import io.keelson.image.reference.Digest;
import org.jspecify.annotations.Nullable;

/**
 * A layer as its source has it, compressed or not.
 *
 * @param key what the source finds it by: its digest, or its path in an archive
 * @param digest of the blob, null where the source says none
 * @param size in bytes, negative where the source says none
 * @param diffId digest of the tar in it, or what stands for it where {@code form} is another
 * @param form how the blob becomes files
 */
public record LayerBlob(
    String key, @Nullable Digest digest, long size, Digest diffId, LayerForm form) {

  /** An image's layer. */
  public LayerBlob(String key, @Nullable Digest digest, long size, Digest diffId) {
    this(key, digest, size, diffId, new LayerForm.Tar());
  }

  LayerBlob withKey(String other) {
    return new LayerBlob(other, digest, size, diffId, form);
  }

  /** What people and progress call it. */
  public String label() {
    return digest == null ? diffId.toString() : digest.toString();
  }
}
