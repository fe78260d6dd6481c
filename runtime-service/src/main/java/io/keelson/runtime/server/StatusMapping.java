package io.keelson.runtime.server;

import io.grpc.Status;
import io.grpc.StatusException;
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
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.concurrent.CancellationException;

/** What the caller is told of an exception: the one place where errors become gRPC status codes. */
final class StatusMapping {

  /**
   * Clients refuse a response with headers beyond 8 KiB; the description travels in one,
   * percent-encoded.
   */
  private static final int MAX_DESCRIPTION_BYTES = 6 * 1024;

  private StatusMapping() {}

  static Status of(Throwable thrown) {
    return switch (thrown) {
      case KeelsonException e -> code(e).withDescription(text(e));
      case CancellationException e -> Status.CANCELLED.withDescription(text(e));
      case UncheckedIOException e -> ioFailure(Objects.requireNonNull(e.getCause()));
      case IOException e -> ioFailure(e);
      case StatusRuntimeException e -> e.getStatus();
      case StatusException e -> e.getStatus();
      default ->
          Status.INTERNAL
              .withDescription(
                  limited("internal error, told in full in the daemon's log: " + thrown))
              .withCause(thrown);
    };
  }

  private static Status code(KeelsonException e) {
    return switch (e) {
      case NotFoundException _ -> Status.NOT_FOUND;
      case InvalidRequestException _ -> Status.INVALID_ARGUMENT;
      case AlreadyExistsException _ -> Status.ALREADY_EXISTS;
      case FailedPreconditionException _ -> Status.FAILED_PRECONDITION;
      case ResourceExhaustedException _ -> Status.RESOURCE_EXHAUSTED;
      case DeadlineExceededException _ -> Status.DEADLINE_EXCEEDED;
      case UnavailableException _ -> Status.UNAVAILABLE;
      case UnsupportedException _ -> Status.UNIMPLEMENTED;
      case OperationFailedException _ -> Status.UNKNOWN;
    };
  }

  /** The kernel or a file said no: not the caller's fault and not a defect, so no INTERNAL. */
  private static Status ioFailure(IOException e) {
    String text = text(e);
    boolean full = text.contains("No space left on device") || text.contains("ENOSPC");
    return full
        ? Status.RESOURCE_EXHAUSTED.withDescription(limited("disk full: " + text))
        : Status.UNKNOWN.withDescription(text);
  }

  private static String text(Throwable e) {
    String message = e.getMessage();
    return limited(message == null || message.isBlank() ? e.toString() : message);
  }

  private static String limited(String text) {
    int bytes = 0;
    for (int i = 0; i < text.length(); ) {
      int codePoint = text.codePointAt(i);
      boolean plain = codePoint >= ' ' && codePoint < 127 && codePoint != '%';
      int utf8 = Character.toString(codePoint).getBytes(StandardCharsets.UTF_8).length;
      bytes += plain ? 1 : 3 * utf8;
      if (bytes > MAX_DESCRIPTION_BYTES) {
        return text.substring(0, i) + " ...";
      }
      i += Character.charCount(codePoint);
    }
    return text;
  }
}
