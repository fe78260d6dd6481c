package io.keelson.image.store;

import io.keelson.image.reference.Digest;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/** Who keeps which image from removal. Safe for use by many threads. */
final class ImageUsers {

  private final Map<String, Set<Digest>> containers = new HashMap<>();
  private final Map<Digest, Integer> holds = new HashMap<>();

  synchronized void add(String containerId, Digest image) {
    containers.computeIfAbsent(containerId, id -> new HashSet<>()).add(image);
  }

  synchronized void remove(String containerId) {
    containers.remove(containerId);
  }

  synchronized Hold hold(Digest image) {
    holds.merge(image, 1, Integer::sum);
    return new Hold(image);
  }

  private synchronized void release(Digest image) {
    holds.computeIfPresent(image, (id, count) -> count == 1 ? null : count - 1);
  }

  /** One who uses the image, in words. */
  synchronized Optional<String> of(Digest image) {
    if (holds.containsKey(image)) {
      return Optional.of("a container that is being made");
    }
    return containers.entrySet().stream()
        .filter(use -> use.getValue().contains(image))
        .map(use -> "container " + use.getKey())
        .findFirst();
  }

  final class Hold implements AutoCloseable {

    private final Digest image;
    private final AtomicBoolean closed = new AtomicBoolean();

    private Hold(Digest image) {
      this.image = image;
    }

    @Override
    public void close() {
      if (closed.compareAndSet(false, true)) {
        release(image);
      }
    }
  }
}
