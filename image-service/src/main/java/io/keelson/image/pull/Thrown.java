package io.keelson.image.pull;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** What one thread threw, for another to throw on. */
final class Thrown {

  private Thrown() {}

  /** The failure as what a method that does I/O may throw; unchecked ones are thrown here. */
  static IOException asIoException(@Nullable Throwable failure) {
    return switch (failure) {
      case IOException e -> e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case null -> throw new IllegalStateException("failed without a cause");
      default -> new IOException(failure);
    };
  }
}
