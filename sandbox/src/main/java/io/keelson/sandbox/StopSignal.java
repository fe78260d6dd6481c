package io.keelson.sandbox;

import io.keelson.linux.Signals;
import io.keelson.proto.cri.v1.Signal;
import io.keelson.sandbox.error.InvalidRequestException;

/** The signal that asks a container to end: the caller's, else the image's, else SIGTERM. */
final class StopSignal {

  private static final String PREFIX = "SIGNAL_";

  private StopSignal() {}

  /**
   * @return its number
   * @throws InvalidRequestException for a signal that the contract does not know
   */
  static int of(Signal requested, String imageSignal) {
    return switch (requested) {
      case UNRECOGNIZED ->
          throw new InvalidRequestException("stop_signal is not a signal of the contract");
      case SIGNAL_RUNTIME_DEFAULT -> imageSignal.isEmpty() ? Signals.SIGTERM : ofImage(imageSignal);
      default -> Signals.parse(name(requested));
    };
  }

  /** The name as in signal(7): SIGRTMIN+1. */
  static String name(Signal signal) {
    return signal.name().substring(PREFIX.length()).replace("PLUS", "+").replace("MINUS", "-");
  }

  private static int ofImage(String signal) {
    try {
      return Signals.parse(signal);
    } catch (IllegalArgumentException e) {
      return Signals.SIGTERM;
    }
  }

  /** The contract's value for a number; RUNTIME_DEFAULT for one that it has no value for. */
  static Signal toProto(int number) {
    for (Signal candidate : Signal.values()) {
      if (candidate != Signal.UNRECOGNIZED
          && candidate != Signal.SIGNAL_RUNTIME_DEFAULT
          && Signals.parse(name(candidate)) == number) {
        return candidate;
      }
    }
    return Signal.SIGNAL_RUNTIME_DEFAULT;
  }
}
