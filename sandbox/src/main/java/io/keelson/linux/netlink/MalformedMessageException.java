package io.keelson.linux.netlink;

import java.io.IOException;

/** A netlink message that contradicts its own lengths. */
public final class MalformedMessageException extends IOException {

  private static final long serialVersionUID = 1L;

  MalformedMessageException(String message) {
    super("malformed netlink message: " + message);
  }
}
