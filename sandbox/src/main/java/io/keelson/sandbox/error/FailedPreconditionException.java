package io.keelson.sandbox.error;

import org.jspecify.annotations.Nullable;

/** The thing is not in the state that the call needs: FAILED_PRECONDITION. */
public final class FailedPreconditionException extends KeelsonException {

  private static final long serialVersionUID = 1L;

  public FailedPreconditionException(String message) {
    super(message, null);
  }

  public FailedPreconditionException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
