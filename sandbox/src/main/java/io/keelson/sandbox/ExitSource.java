package io.keelson.sandbox;

import io.keelson.sandbox.port.Launcher;
import java.util.Optional;
import java.util.function.Consumer;

/** Tells of the end of launched containers, also of those that ended while no daemon ran. */
public interface ExitSource {

  /**
   * Calls {@code onExit} exactly once, on a thread of its own: at once if the container has ended
   * already, else when it ends. Without its processes ({@code launched} empty) all that can be told
   * is what its exit file says.
   */
  void watch(String containerId, Optional<Launcher.Launched> launched, Consumer<Exit> onExit);

  /** Stops watching. Harmless if it does not. */
  void forget(String containerId);

  /**
   * @param code the exit code, 128 + n for signal n; empty if nobody was there to learn it
   * @param timeNanos nanoseconds since the epoch
   */
  record Exit(Optional<Integer> code, long timeNanos) {}
}
