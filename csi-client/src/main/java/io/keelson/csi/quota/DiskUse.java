package io.keelson.csi.quota;

/** What is on disk under a limit; {@code used} is as allocated, and may lag behind a little. */
public record DiskUse(long usedBytes, long limitBytes) {

  /** What may still be written. */
  public long availableBytes() {
    return Math.max(0, limitBytes - usedBytes);
  }
}
