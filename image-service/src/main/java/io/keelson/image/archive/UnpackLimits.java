package io.keelson.image.archive;

/**
 * What one layer may grow to when it is unpacked; a layer that wants more is refused.
 *
 * @param maxEntries files, folders and links
 * @param maxBytes of file content and headers
 * @param maxRatio unpacked bytes for each byte of the blob
 * @param ratioFloor bytes below which the ratio is not looked at, since small layers of zeros are
 *     harmless
 */
public record UnpackLimits(long maxEntries, long maxBytes, int maxRatio, long ratioFloor) {

  public static final UnpackLimits DEFAULT = new UnpackLimits(5_000_000, 512L << 30, 250, 4L << 30);

  public UnpackLimits {
    if (maxEntries < 1 || maxBytes < 1 || maxRatio < 1 || ratioFloor < 0) {
      throw new IllegalArgumentException("limits of unpacking must be positive");
    }
  }
}
