package io.keelson.sandbox.error;

/** The work took longer than it was given: DEADLINE_EXCEEDED. */
public final class DeadlineExceededException extends KeelsonException {

  private static final long serialVersionUID = 1L;

  public DeadlineExceededException(String message) {
    super(message, null);
  }

  public DeadlineExceededException(String message, Throwable cause) {
    super(message, cause);
  }
}
