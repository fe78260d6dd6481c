package io.keelson.image.manifest;

import java.io.IOException;

/** A manifest, index or config is not what the image spec says. */
public final class InvalidManifestException extends IOException {

  private static final long serialVersionUID = 1L;

  public InvalidManifestException(String message) {
    super(message);
  }
}
