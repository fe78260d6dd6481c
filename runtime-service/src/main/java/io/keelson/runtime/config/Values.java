package io.keelson.runtime.config;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** What the file and the flags say, by key; a key of which they say nothing has its default. */
final class Values {

  private record Entry(Object value, String origin) {}

  private final Map<String, Entry> entries = new LinkedHashMap<>();
  private final Set<String> declaredRuntimes = new TreeSet<>(Keys.BUILT_IN_RUNTIMES);

  /**
   * Sets a key, replacing what was said of it before.
   *
   * @param origin where it was said, for messages: {@code /etc/keelson/config.toml:12}
   * @throws BadValueException if the key can't have this value
   */
  <T> void put(Key<T> key, Object value, String origin) throws BadValueException {
    entries.put(key.name(), new Entry(key.type().read(value), origin));
  }

  @SuppressWarnings("unchecked") // put checks a value by its key's type
  <T> T get(Key<T> key) {
    Entry entry = entries.get(key.name());
    return entry == null ? key.fallback().apply(this) : (T) entry.value();
  }

  /** Where the key was set, or {@code default}. */
  String origin(Key<?> key) {
    Entry entry = entries.get(key.name());
    return entry == null ? "default" : entry.origin();
  }

  /** The file has a table for this runtime. */
  void declareRuntime(String name) {
    declaredRuntimes.add(name);
  }

  /** The names of all OCI runtimes, those built in and those in the file. */
  Set<String> runtimes() {
    return Collections.unmodifiableSet(declaredRuntimes);
  }

  /** The file says something of this runtime. */
  boolean isRuntimeSet(String runtime) {
    return entries.keySet().stream().anyMatch(k -> k.startsWith("runtimes." + runtime + "."));
  }
}
