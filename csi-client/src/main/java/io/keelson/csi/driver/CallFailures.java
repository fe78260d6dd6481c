package io.keelson.csi.driver;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.keelson.sandbox.error.AlreadyExistsException;
import io.keelson.sandbox.error.DeadlineExceededException;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.error.ResourceExhaustedException;
import io.keelson.sandbox.error.UnavailableException;
import io.keelson.sandbox.error.UnsupportedException;
import io.keelson.sandbox.rpc.RpcFailures;

/** What a driver's status codes mean (CSI spec, "Error Scheme"). */
final class CallFailures {

  private CallFailures() {}

  /** The same call may succeed later, and what it did until now is not known. */
  static boolean isTransient(Status.Code code) {
    return switch (code) {
      case ABORTED, DEADLINE_EXCEEDED, UNAVAILABLE, RESOURCE_EXHAUSTED, CANCELLED -> true;
      default -> false;
    };
  }

  static KeelsonException of(
      String driver, String method, String subject, StatusRuntimeException failure) {
    String message =
        "CSI driver %s: %s%s: %s"
            .formatted(
                driver,
                method,
                subject.isEmpty() ? "" : " of " + subject,
                RpcFailures.text(failure));
    return switch (failure.getStatus().getCode()) {
      case NOT_FOUND -> new NotFoundException(message);
      case INVALID_ARGUMENT, OUT_OF_RANGE -> new InvalidRequestException(message, failure);
      case ALREADY_EXISTS -> new AlreadyExistsException(message);
      case FAILED_PRECONDITION, PERMISSION_DENIED, UNAUTHENTICATED ->
          new FailedPreconditionException(message, failure);
      case RESOURCE_EXHAUSTED -> new ResourceExhaustedException(message, failure);
      case DEADLINE_EXCEEDED -> new DeadlineExceededException(message);
      case UNAVAILABLE, ABORTED -> new UnavailableException(message, failure);
      case UNIMPLEMENTED -> new UnsupportedException(message);
      case OK, CANCELLED, UNKNOWN, INTERNAL, DATA_LOSS ->
          new OperationFailedException(message, failure);
    };
  }
}
