package io.keelson.runtime.config;

/** A value that a key can't have; the message continues a sentence: "must be …, not …". */
final class BadValueException extends Exception {

  private static final long serialVersionUID = 1L;

  BadValueException(String message) {
    super(message);
  }
}
