package io.keelson.csi.local;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.keelson.sandbox.DiskFull;
import io.keelson.sandbox.error.ResourceExhaustedException;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How calls are answered and failures become status codes (CSI spec, "Error Scheme"). */
final class Failures {

  private static final Logger LOG = LoggerFactory.getLogger(Failures.class);

  private Failures() {}

  /** The work of one call. */
  @FunctionalInterface
  interface Work<T> {
    T run() throws IOException;
  }

  /** The work of a call that sends its answers itself. */
  @FunctionalInterface
  interface Sending {
    void run() throws IOException;
  }

  static <T> void answer(StreamObserver<T> answers, Work<T> work) {
    stream(answers, () -> answers.onNext(work.run()));
  }

  /** The same for any number of answers. */
  static <T> void stream(StreamObserver<T> answers, Sending work) {
    try {
      work.run();
    } catch (StatusRuntimeException e) {
      answers.onError(e);
      return;
    } catch (IOException | RuntimeException e) {
      Status status =
          DiskFull.isCause(e) || e instanceof ResourceExhaustedException
              ? Status.RESOURCE_EXHAUSTED
              : Status.INTERNAL;
      LOG.atWarn().setCause(e).log("a call failed");
      answers.onError(status.withDescription(String.valueOf(e.getMessage())).asRuntimeException());
      return;
    }
    answers.onCompleted();
  }

  static StatusRuntimeException invalid(String message) {
    return Status.INVALID_ARGUMENT.withDescription(message).asRuntimeException();
  }

  static StatusRuntimeException notFound(String message) {
    return Status.NOT_FOUND.withDescription(message).asRuntimeException();
  }

  static StatusRuntimeException precondition(String message) {
    return Status.FAILED_PRECONDITION.withDescription(message).asRuntimeException();
  }

  static StatusRuntimeException exists(String message) {
    return Status.ALREADY_EXISTS.withDescription(message).asRuntimeException();
  }

  static StatusRuntimeException outOfRange(String message) {
    return Status.OUT_OF_RANGE.withDescription(message).asRuntimeException();
  }

  static StatusRuntimeException aborted(String message) {
    return Status.ABORTED.withDescription(message).asRuntimeException();
  }

  /** A field that must be there. */
  static String required(String value, String field) {
    if (value.isEmpty()) {
      throw invalid(field + " is missing");
    }
    return value;
  }
}
