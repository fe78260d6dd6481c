package io.keelson.image;

import io.keelson.image.archive.MalformedArchiveException;
import io.keelson.image.manifest.InvalidManifestException;
import io.keelson.image.source.CorruptContentException;
import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.error.ResourceExhaustedException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.FileSystemException;

/** What goes wrong with an image, as callers may act on it. */
final class Failures {

  private Failures() {}

  /**
   * Turns what has a meaning for callers into one of their exceptions.
   *
   * @param what was done, for the message
   * @return the same, if it has none
   */
  static IOException explained(String what, IOException failure) {
    if (isDiskFull(failure)) {
      throw new ResourceExhaustedException(
          what + ": the disk of the image store is full (" + failure.getMessage() + ")", failure);
    }
    if (failure instanceof MalformedArchiveException
        || failure instanceof InvalidManifestException) {
      throw new InvalidRequestException(what + ": " + failure.getMessage(), failure);
    }
    if (failure instanceof CorruptContentException || failure instanceof EOFException) {
      throw new OperationFailedException(what + ": " + failure.getMessage(), failure);
    }
    return failure;
  }

  private static boolean isDiskFull(IOException failure) {
    if (failure instanceof ErrnoException errno) {
      return errno.is(Errno.ENOSPC) || errno.is(Errno.EDQUOT);
    }
    // The JDK has no error numbers, only the C library's words.
    String said =
        failure instanceof FileSystemException named ? named.getReason() : failure.getMessage();
    return said != null
        && (said.contains("No space left on device") || said.contains("Disk quota exceeded"));
  }
}
