package io.keelson.sandbox;

import io.keelson.sandbox.error.NotFoundException;
import java.util.Collection;
import java.util.Collections;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * Things by id, in memory, found by a unique prefix too. Reads take no lock; safe for use by many
 * threads.
 *
 * @param <E> what is indexed
 */
final class Index<E> {

  private final String kind;
  private final ConcurrentSkipListMap<String, E> byId = new ConcurrentSkipListMap<>();

  /** {@code kind} names the things in messages: "container". */
  Index(String kind) {
    this.kind = kind;
  }

  void put(String id, E entry) {
    byId.put(id, entry);
  }

  void remove(String id) {
    byId.remove(id);
  }

  Collection<E> all() {
    return Collections.unmodifiableCollection(byId.values());
  }

  /** By whole id, or by a prefix that only one id has. */
  Optional<E> find(String idOrPrefix) {
    if (idOrPrefix.isEmpty()) {
      return Optional.empty();
    }
    E exact = byId.get(idOrPrefix);
    if (exact != null) {
      return Optional.of(exact);
    }
    var matches =
        byId.subMap(idOrPrefix, true, idOrPrefix + Character.MAX_VALUE, true).values().iterator();
    if (!matches.hasNext()) {
      return Optional.empty();
    }
    E only = matches.next();
    return matches.hasNext() ? Optional.empty() : Optional.of(only);
  }

  /**
   * @throws NotFoundException if no id, or more than one, begins so
   */
  E get(String idOrPrefix) {
    return find(idOrPrefix)
        .orElseThrow(
            () ->
                new NotFoundException(kind + " \"" + abbreviate(idOrPrefix) + "\" does not exist"));
  }

  private static String abbreviate(String id) {
    return id.length() <= 128 ? id : id.substring(0, 128) + "…";
  }
}
