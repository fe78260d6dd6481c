package io.keelson.image.registry;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A server that is asked on the way has no time now. */
final class OverloadedException extends IOException {

  private static final long serialVersionUID = 1L;

  private final @Nullable String retryAfter;

  /**
   * @param retryAfter when to ask again, as the header says it
   */
  OverloadedException(String message, @Nullable String retryAfter) {
    super(message);
    this.retryAfter = retryAfter;
  }

  @Nullable String retryAfter() {
    return retryAfter;
  }
}
