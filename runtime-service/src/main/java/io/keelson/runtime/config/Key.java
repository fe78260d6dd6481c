package io.keelson.runtime.config;

import java.util.function.Function;

/**
 * One key of the configuration: what it is called, what it may hold, what it is when nothing is
 * said, and what it means.
 *
 * @param name with the names of its tables, {@code network.mtu}
 * @param fallback the default, which may follow from other keys
 * @param comment for the reader of the file, plain text, lines as they shall stand
 */
record Key<T>(String name, ValueType<T> type, Function<Values, T> fallback, String comment) {

  static <T> Key<T> of(String name, ValueType<T> type, T fallback, String comment) {
    return new Key<>(name, type, _ -> fallback, comment);
  }

  static <T> Key<T> derived(
      String name, ValueType<T> type, Function<Values, T> fallback, String comment) {
    return new Key<>(name, type, fallback, comment);
  }

  /** The table that it stands in, {@code ""} for the top of the file. */
  String table() {
    int dot = name.lastIndexOf('.');
    return dot < 0 ? "" : name.substring(0, dot);
  }

  /** Its name within its table. */
  String simpleName() {
    return name.substring(name.lastIndexOf('.') + 1);
  }
}
