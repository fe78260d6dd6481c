package io.keelson.runtime.server;

import java.util.Map;
import java.util.Optional;

/**
 * Hears of every call, for metrics. What it does is done for each call: it must cost next to
 * nothing.
 */
public interface CallObserver {

  /** Nobody wants to know. */
  CallObserver NONE = new CallObserver() {};

  /**
   * This thread begins to serve a call; {@link #handled} follows on the same thread.
   *
   * @param traceparent as the caller sent it: the span that the call belongs to
   */
  default void handling(String method, Map<String, String> ids, Optional<String> traceparent) {}

  /** This thread has done what it does for its call; a stream may go on. */
  default void handled() {}

  /**
   * A call has ended.
   *
   * @param code of its status
   * @param nanos that it took
   */
  default void ended(String method, String code, long nanos) {}
}
