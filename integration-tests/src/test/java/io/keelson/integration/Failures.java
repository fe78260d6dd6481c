package io.keelson.integration;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;

/** How a call has ended. */
final class Failures {

  interface Call {
    void run() throws Exception;
  }

  record Outcome(Status.Code code, String message) {}

  private Failures() {}

  /** The call's status; OK if it succeeded. */
  static Outcome of(Call call) {
    try {
      call.run();
      return new Outcome(Status.Code.OK, "");
    } catch (StatusRuntimeException e) {
      return new Outcome(e.getStatus().getCode(), String.valueOf(e.getStatus().getDescription()));
    } catch (Exception e) {
      throw new AssertionError("not a failure of a call", e);
    }
  }

  static Status.Code code(Call call) {
    return of(call).code();
  }
}
