package io.keelson.image.request;

/**
 * Hears how a pull or an import goes on. Calls come from several threads and must return at once;
 * who throws hears no more. A caller that joins a pull under way hears what is left of it.
 */
public interface PullProgress {

  /** Hears nothing. */
  PullProgress NONE = new PullProgress() {};

  /** The manifest is known: this many layers, each with the size of its blob in bytes. */
  default void resolved(String imageId, int layers, long totalBytes) {}

  /** A layer that is here already, so that nothing is fetched. */
  default void layerPresent(String layerDigest) {}

  /**
   * Bytes of a layer have come.
   *
   * @param received in all so far, of {@code total}
   */
  default void layerReceived(String layerDigest, long received, long total) {}

  /** All of a layer has come, was checked and is unpacked. */
  default void layerDone(String layerDigest) {}
}
