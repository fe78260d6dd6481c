package io.keelson.sandbox.error;

import org.jspecify.annotations.Nullable;

/** Not now; the same call may succeed later: UNAVAILABLE. */
public final class UnavailableException extends KeelsonException {

  private static final long serialVersionUID = 1L;

  public UnavailableException(String message) {
    super(message, null);
  }

  public UnavailableException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
