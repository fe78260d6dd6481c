package io.keelson.cni.plugin;

import java.io.IOException;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A call of a plugin failed. The message names plugin, command and network, and holds what the
 * plugin said.
 */
final class PluginException extends IOException {

  private static final long serialVersionUID = 1L;

  /** Error codes of the CNI spec 1.1, section 5, that change what the caller does. */
  static final int INCOMPATIBLE_VERSION = 1;

  static final int INVALID_ENVIRONMENT = 4;
  static final int TRY_AGAIN_LATER = 11;

  /** What went wrong. */
  enum Kind {
    /** There is no such program, or it could not be started. */
    NOT_STARTED,
    /** The plugin said no, with a code. */
    REFUSED,
    /** The plugin answered outside of the protocol, or crashed. */
    MALFORMED,
    /** The deadline passed; the plugin is dead. */
    TIMED_OUT
  }

  private final Kind kind;
  private final int code;

  PluginException(PluginCall call, Kind kind, String what, @Nullable Throwable cause) {
    this(call, kind, 0, what, cause);
  }

  PluginException(PluginCall call, Kind kind, int code, String what, @Nullable Throwable cause) {
    super(
        "CNI plugin "
            + call.plugin().type()
            + " ("
            + call.command()
            + ", network "
            + call.network()
            + ") "
            + what,
        cause);
    this.kind = kind;
    this.code = code;
  }

  Kind kind() {
    return kind;
  }

  /** The plugin's own error code, if it gave one. */
  OptionalInt code() {
    return kind == Kind.REFUSED ? OptionalInt.of(code) : OptionalInt.empty();
  }

  /** The plugin is too old for this command. */
  boolean isUnknownCommand() {
    return kind == Kind.REFUSED && (code == INVALID_ENVIRONMENT || code == INCOMPATIBLE_VERSION);
  }
}
