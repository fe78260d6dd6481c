package io.keelson.image.source;

import io.keelson.image.request.Cancellation;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;

/**
 * One kind of place on this host that images come from. Without state; safe for use by many
 * threads.
 */
interface Store {

  /** The word that names it before a path, as in {@code oci:/images/app}. */
  String format();

  /** Whether the place looks like this kind; false for kinds that must be named. */
  default boolean recognises(ImagePlace place) throws IOException {
    return false;
  }

  /**
   * The images for this node, in the place's order; never none.
   *
   * @throws io.keelson.sandbox.error.InvalidRequestException if the place is of another kind
   * @throws io.keelson.sandbox.error.NotFoundException if no image is for this node
   */
  List<ImageArchive.Named> images(ImagePlace place) throws IOException;

  /**
   * Opens a layer of one of the images; the file that is its key unless the kind says otherwise.
   */
  default InputStream open(ImagePlace place, LayerBlob layer, Cancellation cancellation)
      throws IOException {
    return place.openFile(layer.key());
  }
}
