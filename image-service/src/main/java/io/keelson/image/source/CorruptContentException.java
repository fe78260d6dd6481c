package io.keelson.image.source;

import java.io.IOException;

/** Content is not what its digest or size says. Nothing of it is kept. */
public final class CorruptContentException extends IOException {

  private static final long serialVersionUID = 1L;

  public CorruptContentException(String message) {
    super(message);
  }
}
