package io.keelson.sandbox.error;

import org.jspecify.annotations.Nullable;

/** Disk, addresses, devices or memory are used up: RESOURCE_EXHAUSTED. */
public final class ResourceExhaustedException extends KeelsonException {

  private static final long serialVersionUID = 1L;

  public ResourceExhaustedException(String message) {
    super(message, null);
  }

  public ResourceExhaustedException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
