package io.keelson.sandbox.error;

import org.jspecify.annotations.Nullable;

/** A step failed for a reason outside of the request: UNKNOWN, with the step's own words. */
public final class OperationFailedException extends KeelsonException {

  private static final long serialVersionUID = 1L;

  public OperationFailedException(String message) {
    super(message, null);
  }

  public OperationFailedException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
