package io.keelson.runtime.nri.ttrpc;

import java.io.IOException;

/** A call was not answered in time. */
public final class CallTimeoutException extends IOException {

  private static final long serialVersionUID = 1L;

  CallTimeoutException(String message) {
    super(message);
  }
}
