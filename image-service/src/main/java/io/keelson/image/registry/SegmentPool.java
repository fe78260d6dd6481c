package io.keelson.image.registry;

import io.keelson.image.source.SpareBuffers;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * The memory that the downloads of one pull share. Together with what decompression and unpacking
 * take, a pull stays below 64 MiB, whatever its size. Safe for use by many threads.
 */
final class SegmentPool {

  private static final int SEGMENTS = 16;

  /** Below, a segment of its own is cheaper than one that is kept. */
  private static final int SMALL = 128 * 1024;

  private final Semaphore left = new Semaphore(SEGMENTS, true);
  private final SpareBuffers<Segment> spare;

  /**
   * @param spare of all pulls
   */
  SegmentPool(SpareBuffers<Segment> spare) {
    this.spare = spare;
  }

  /** One segment, waited for: the one that a download can't do without. */
  Segment take(long blobSize) throws InterruptedException {
    left.acquire();
    return make(blobSize);
  }

  /** One more segment, null if there is none left. */
  @Nullable Segment tryTake(long blobSize) {
    return left.tryAcquire() ? make(blobSize) : null;
  }

  private Segment make(long blobSize) {
    if (blobSize < SMALL) {
      return new Segment((int) blobSize);
    }
    Segment kept = spare.take();
    return kept == null ? new Segment(Segment.SIZE) : kept;
  }

  void give(Segment segment) {
    if (segment.data().length == Segment.SIZE) {
      spare.give(segment);
    }
    left.release();
  }
}
