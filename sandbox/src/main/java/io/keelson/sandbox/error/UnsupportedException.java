package io.keelson.sandbox.error;

/** Keelson, this host or this kernel can't do that: UNIMPLEMENTED. */
public final class UnsupportedException extends KeelsonException {

  private static final long serialVersionUID = 1L;

  public UnsupportedException(String message) {
    super(message, null);
  }

  public UnsupportedException(String message, Throwable cause) {
    super(message, cause);
  }
}
