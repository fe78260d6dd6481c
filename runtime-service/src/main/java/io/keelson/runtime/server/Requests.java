package io.keelson.runtime.server;

import io.keelson.sandbox.error.InvalidRequestException;

/** Fields that a request can't do without. */
final class Requests {

  private Requests() {}

  /** The id as given; an empty one would be the beginning of every id. */
  static String podId(String id) {
    return required(id, "the request names no pod sandbox");
  }

  /** As {@link #podId}. */
  static String containerId(String id) {
    return required(id, "the request names no container");
  }

  /** The reference as given. */
  static String image(String reference) {
    return required(reference, "the request names no image");
  }

  private static String required(String value, String message) {
    if (value.isBlank()) {
      throw new InvalidRequestException(message);
    }
    return value;
  }
}
