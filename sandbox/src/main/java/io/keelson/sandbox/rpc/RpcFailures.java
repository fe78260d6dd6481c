package io.keelson.sandbox.rpc;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import org.jspecify.annotations.Nullable;

/** What a failed call of a plugin says, in one line for a person. */
public final class RpcFailures {

  private RpcFailures() {}

  /**
   * The code, the other side's words, and the kernel's or those of TLS if the connection failed.
   */
  public static String text(StatusRuntimeException failure) {
    Status status = failure.getStatus();
    StringBuilder text = new StringBuilder(status.getCode().name());
    String words = status.getDescription();
    if (words != null) {
      // Behind a line break gRPC tells of its own inside.
      text.append(": ").append(status.getCause() == null ? words : words.split("\n", 2)[0]);
    }
    Throwable cause = deepest(status.getCause());
    if (cause != null && cause.getMessage() != null) {
      text.append(": ").append(cause.getMessage());
    }
    return text.toString();
  }

  private static @Nullable Throwable deepest(@Nullable Throwable failure) {
    Throwable deepest = failure;
    while (deepest != null && deepest.getCause() != null) {
      deepest = deepest.getCause();
    }
    return deepest;
  }
}
