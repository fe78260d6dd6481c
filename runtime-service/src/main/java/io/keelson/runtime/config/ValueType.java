package io.keelson.runtime.config;

/** How a key's value is read from TOML, checked, and written as TOML. Immutable. */
interface ValueType<T> {

  /**
   * Takes a value of the file.
   *
   * @param value as the TOML parser gives it: String, Long, Boolean, TomlArray, …
   * @throws BadValueException if it is of the wrong type, out of range or malformed
   */
  T read(Object value) throws BadValueException;

  /** The value in the file's notation. */
  String toToml(T value);
}
