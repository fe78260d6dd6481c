package io.keelson.sandbox.error;

/** Another thing holds the name: ALREADY_EXISTS. */
public final class AlreadyExistsException extends KeelsonException {

  private static final long serialVersionUID = 1L;

  public AlreadyExistsException(String message) {
    super(message, null);
  }
}
