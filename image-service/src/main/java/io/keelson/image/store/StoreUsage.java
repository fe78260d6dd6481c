package io.keelson.image.store;

/**
 * What things of the store take.
 *
 * @param bytes on disk
 */
public record StoreUsage(long bytes, long inodes) {

  /** Both together. */
  public StoreUsage plus(StoreUsage other) {
    return new StoreUsage(bytes + other.bytes, inodes + other.inodes);
  }
}
