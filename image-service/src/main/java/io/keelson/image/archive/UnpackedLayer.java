package io.keelson.image.archive;

import java.util.List;

/**
 * What unpacking made.
 *
 * @param bytes about what it takes on disk
 * @param inodes how many it takes
 * @param implied folders that the archive has no entry for; owner and mode come from the layers
 *     below
 */
public record UnpackedLayer(long bytes, long inodes, List<String> implied) {
  public UnpackedLayer {
    implied = List.copyOf(implied);
  }
}
