package io.keelson.runtime.daemon;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Ends what was started, the last first; one that fails does not keep the others from ending. */
final class Shutdown implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Shutdown.class);

  private record Part(String name, AutoCloseable part) {}

  private final Deque<Part> parts = new ArrayDeque<>();

  /** Remembers a part and gives it back. */
  synchronized <T extends AutoCloseable> T add(String name, T part) {
    parts.push(new Part(name, part));
    return part;
  }

  @Override
  public synchronized void close() {
    while (!parts.isEmpty()) {
      Part part = parts.pop();
      try {
        part.part().close();
      } catch (Exception e) { // whatever it is, the next one must end too
        log.warn("ending {} failed", part.name(), e);
      }
    }
  }
}
