package io.keelson.sandbox;

import java.util.Collection;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells adapters of what has happened: none of them can fail it any more, nor keep it from another.
 */
final class Notices {

  private static final Logger LOG = LoggerFactory.getLogger(Notices.class);

  private Notices() {}

  static <T> void tell(Collection<T> adapters, Consumer<T> notice) {
    for (T adapter : adapters) {
      try {
        notice.accept(adapter);
      } catch (RuntimeException e) {
        LOG.atError()
            .setCause(e)
            .addKeyValue("adapter", adapter.getClass().getSimpleName())
            .log("an adapter failed at what it was told of");
      }
    }
  }
}
