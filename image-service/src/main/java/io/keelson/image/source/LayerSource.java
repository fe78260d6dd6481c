package io.keelson.image.source;

import io.keelson.image.request.Cancellation;
import java.io.IOException;
import java.io.InputStream;

/** Where the content of layers comes from. Safe for use by many threads. */
public interface LayerSource {

  /**
   * Opens a layer's blob. What the stream gives is not checked; it mends broken connections itself.
   *
   * @param cancellation ends a read that waits
   */
  InputStream open(LayerBlob layer, Cancellation cancellation) throws IOException;

  /**
   * Hears that what {@link #open} gave was not the blob, or could not be unpacked.
   *
   * @return whether to open it again: it will come from elsewhere
   */
  default boolean distrust(LayerBlob layer, IOException failure) {
    return false;
  }
}
