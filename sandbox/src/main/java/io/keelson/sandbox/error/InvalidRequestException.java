package io.keelson.sandbox.error;

import org.jspecify.annotations.Nullable;

/** The request can never succeed as it stands: INVALID_ARGUMENT. */
public final class InvalidRequestException extends KeelsonException {

  private static final long serialVersionUID = 1L;

  public InvalidRequestException(String message) {
    super(message, null);
  }

  public InvalidRequestException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
