package io.keelson.sandbox.error;

import org.jspecify.annotations.Nullable;

/**
 * What went wrong, as a caller may act on it. The gRPC edge maps each kind to one status code and
 * nothing else in the daemon knows of status codes. A message names the thing, what was tried, and
 * what the kernel or the tool said.
 */
public abstract sealed class KeelsonException extends RuntimeException
    permits NotFoundException,
        InvalidRequestException,
        AlreadyExistsException,
        FailedPreconditionException,
        ResourceExhaustedException,
        DeadlineExceededException,
        UnavailableException,
        UnsupportedException,
        OperationFailedException {

  private static final long serialVersionUID = 1L;

  KeelsonException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
