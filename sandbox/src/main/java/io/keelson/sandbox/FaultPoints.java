package io.keelson.sandbox;

/**
 * Named moments between two steps of an operation. In a daemon that serves people nothing happens
 * there; a test has the daemon die at one of them, to see that the next start mends what was half
 * done.
 */
@FunctionalInterface
public interface FaultPoints {

  /** Nothing ever happens. */
  FaultPoints NONE = step -> {};

  /** {@code step} is {@code Operation:what-has-just-been-done}. */
  void reached(String step);
}
