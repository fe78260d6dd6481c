package io.keelson.runtime.nri;

import org.jspecify.annotations.Nullable;

/** A plugin answered a call with an error. */
final class PluginRefusedException extends Exception {

  private static final long serialVersionUID = 1L;

  PluginRefusedException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
