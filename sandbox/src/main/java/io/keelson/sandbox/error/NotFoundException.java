package io.keelson.sandbox.error;

/** The pod, container, image or other thing that was named does not exist: NOT_FOUND. */
public final class NotFoundException extends KeelsonException {

  private static final long serialVersionUID = 1L;

  public NotFoundException(String message) {
    super(message, null);
  }
}
