package io.keelson.image.source;

import java.lang.ref.SoftReference;
import java.util.concurrent.ConcurrentLinkedDeque;
import org.jspecify.annotations.Nullable;

/**
 * Keeps large buffers for the next who needs one. As garbage, those of one layer after the other
 * would grow the heap by all of them, since the collector comes late for large objects. The
 * collector may take what has not been used for some time. Safe for use by many threads.
 */
public final class SpareBuffers<T> {

  private final ConcurrentLinkedDeque<SoftReference<T>> spare = new ConcurrentLinkedDeque<>();

  /** The one that was given last, null if there is none. */
  public @Nullable T take() {
    for (SoftReference<T> kept = spare.poll(); kept != null; kept = spare.poll()) {
      T buffer = kept.get();
      if (buffer != null) {
        return buffer;
      }
    }
    return null;
  }

  /** Gives a buffer that nobody uses any more. */
  public void give(T buffer) {
    spare.push(new SoftReference<>(buffer));
  }
}
