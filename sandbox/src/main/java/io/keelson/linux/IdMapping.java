package io.keelson.linux;

/**
 * A range of user or group ids of a user namespace (user_namespaces(7)).
 *
 * @param inside the first id in the namespace
 * @param outside the id that the first one is in the parent namespace
 * @param length how many ids
 */
public record IdMapping(long inside, long outside, long length) {

  private static final long IDS = 1L << 32;

  public IdMapping {
    if (inside < 0
        || outside < 0
        || length <= 0
        || inside + length > IDS - 1
        || outside + length > IDS - 1) {
      throw new IllegalArgumentException(
          "no range of ids: %d ids, %d inside, %d outside".formatted(length, inside, outside));
    }
  }

  /**
   * The id outside of one inside.
   *
   * @throws IllegalArgumentException if the range does not hold it
   */
  public long outside(long id) {
    if (id < inside || id >= inside + length) {
      throw new IllegalArgumentException("id %d is not in %s".formatted(id, this));
    }
    return outside + (id - inside);
  }

  /** As the kernel reads it from uid_map and gid_map. */
  String line() {
    return "%d %d %d\n".formatted(inside, outside, length);
  }
}
