package io.keelson.runtime.nri.ttrpc;

/** A call was answered with an error: a gRPC status code and the callee's words. */
public final class StatusException extends Exception {

  public static final int INVALID_ARGUMENT = 3;
  public static final int RESOURCE_EXHAUSTED = 8;
  public static final int FAILED_PRECONDITION = 9;
  public static final int UNIMPLEMENTED = 12;
  public static final int INTERNAL = 13;

  private static final long serialVersionUID = 1L;

  private final int code;

  /**
   * An error to answer with, or answered.
   *
   * @param code as gRPC numbers them
   */
  public StatusException(int code, String message) {
    super(message);
    this.code = code;
  }

  public int code() {
    return code;
  }
}
