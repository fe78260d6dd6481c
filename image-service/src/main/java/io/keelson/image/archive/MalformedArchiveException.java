package io.keelson.image.archive;

import java.io.IOException;

/**
 * An archive breaks the format, the rules of layers, or a limit; the same bytes will never do
 * better.
 */
public final class MalformedArchiveException extends IOException {

  private static final long serialVersionUID = 1L;

  public MalformedArchiveException(String message) {
    super(message);
  }

  public MalformedArchiveException(String message, Throwable cause) {
    super(message, cause);
  }
}
