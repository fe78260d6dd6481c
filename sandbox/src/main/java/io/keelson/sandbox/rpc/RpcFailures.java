package io.keelson.sandbox.rpc;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;

/** What a failed call of a plugin says, in one line for a person. */
public final class RpcFailures {

  private RpcFailures() {}

  /** The code, the other side's words, and the kernel's if the connection failed. */
  public static String text(StatusRuntimeException failure) {
    Status status = failure.getStatus();
    StringBuilder text = new StringBuilder(status.getCode().name());
    if (status.getDescription() != null) {
      text.append(": ").append(status.getDescription());
    }
    Throwable cause = status.getCause();
    if (cause != null && cause.getMessage() != null) {
      text.append(": ").append(cause.getMessage());
    }
    return text.toString();
  }
}
