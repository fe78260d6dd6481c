package io.keelson.csi.volume;

import io.keelson.csi.driver.Operation;
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

/** Which failures say that nothing was done (CSI spec, "Error Scheme"). */
final class Refusals {

  private Refusals() {}

  /** The driver has refused what it was asked for, and has not been at work on it before. */
  static boolean isRefused(Exception failure, Operation operation) {
    return !operation.isInDoubt() && failure instanceof KeelsonException known && isRefusal(known);
  }

  /** The driver refuses; what it did when it was asked before is another question. */
  static boolean isRefusal(KeelsonException failure) {
    return switch (failure) {
      case InvalidRequestException _,
          NotFoundException _,
          AlreadyExistsException _,
          FailedPreconditionException _,
          UnsupportedException _ ->
          true;
      case ResourceExhaustedException _,
          DeadlineExceededException _,
          UnavailableException _,
          OperationFailedException _ ->
          false;
    };
  }
}
