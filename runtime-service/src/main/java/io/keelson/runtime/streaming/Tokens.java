package io.keelson.runtime.streaming;

import io.keelson.sandbox.error.ResourceExhaustedException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/**
 * Requests that wait for somebody to connect. Who knows a token may do what it stands for, so it is
 * random, good for one connection, and for a minute. Safe for use by many threads.
 */
final class Tokens {

  static final Duration LIFE = Duration.ofMinutes(1);
  static final int MAX_WAITING = 1_000;

  private static final int BYTES = 18; // beyond guessing, and whole characters of base 64

  private final LongSupplier nanoTime;
  private final SecureRandom random = new SecureRandom();
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<String, Waiting> waiting = new LinkedHashMap<>(); // oldest first; by lock

  Tokens(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  private record Waiting(StreamRequest request, long since) {}

  /**
   * A token for this request.
   *
   * @throws ResourceExhaustedException if too many wait
   */
  String issue(StreamRequest request) {
    byte[] bytes = new byte[BYTES];
    random.nextBytes(bytes);
    String token = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    lock.lock();
    try {
      forgetExpired();
      if (waiting.size() >= MAX_WAITING) {
        throw new ResourceExhaustedException(
            MAX_WAITING
                + " requests for streams wait for their callers to connect; no more until some have"
                + " or a minute has passed");
      }
      waiting.put(token, new Waiting(request, nanoTime.getAsLong()));
      return token;
    } finally {
      lock.unlock();
    }
  }

  /** The request of a token, which is no more good from now on; empty if it never was. */
  Optional<StreamRequest> redeem(String token) {
    lock.lock();
    try {
      forgetExpired();
      return Optional.ofNullable(waiting.remove(token)).map(Waiting::request);
    } finally {
      lock.unlock();
    }
  }

  private void forgetExpired() {
    long now = nanoTime.getAsLong();
    Iterator<Waiting> oldest = waiting.values().iterator();
    while (oldest.hasNext() && now - oldest.next().since() >= LIFE.toNanos()) {
      oldest.remove();
    }
  }
}
