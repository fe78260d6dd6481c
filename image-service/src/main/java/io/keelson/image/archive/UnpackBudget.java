package io.keelson.image.archive;

/** Counts what a layer takes, and stops it at its limits. For one thread. */
final class UnpackBudget {

  private static final long DISK_BLOCK = 4096;

  private final UnpackLimits limits;
  private final long blobSize;
  private long entries;
  private long unpacked;
  private long allocated;
  private long inodes;

  /**
   * @param blobSize what was fetched for the layer, or a negative number if that is not known
   */
  UnpackBudget(UnpackLimits limits, long blobSize) {
    this.limits = limits;
    this.blobSize = blobSize;
  }

  void entry(TarEntry entry) throws MalformedArchiveException {
    entries++;
    if (entries > limits.maxEntries()) {
      throw new MalformedArchiveException(
          "the layer has more than the " + limits.maxEntries() + " entries that are allowed");
    }
    if (entry.size() > limits.maxBytes()) {
      throw tooLarge();
    }
    consume(TarReader.BLOCK);
    for (TarEntry.Extent extent : entry.extents()) {
      consume(extent.length());
      allocated += (extent.length() + DISK_BLOCK - 1) / DISK_BLOCK * DISK_BLOCK;
    }
  }

  void inode(boolean folder) {
    inodes++;
    allocated += folder ? DISK_BLOCK : 0;
  }

  private void consume(long bytes) throws MalformedArchiveException {
    unpacked += bytes;
    if (unpacked > limits.maxBytes()) {
      throw tooLarge();
    }
    if (blobSize >= 0
        && unpacked > limits.ratioFloor()
        && unpacked / limits.maxRatio() > blobSize) {
      throw new MalformedArchiveException(
          "the layer grows to more than %d times its %d bytes"
              .formatted(limits.maxRatio(), blobSize));
    }
  }

  private MalformedArchiveException tooLarge() {
    return new MalformedArchiveException(
        "the layer grows to more than the " + limits.maxBytes() + " bytes that are allowed");
  }

  long allocated() {
    return allocated;
  }

  long inodes() {
    return inodes;
  }
}
