package io.keelson.csi.local;

import java.util.List;
import java.util.function.Function;

/**
 * One page of a list: entries are in the order of their ids, and a page begins behind the id that
 * its token names.
 *
 * @param next {@code ""} at the end
 */
record Pages<T>(List<T> entries, String next) {

  /**
   * @param all in the order of their ids
   * @param token where the page begins, {@code ""} for the beginning
   * @param max 0 for all
   */
  static <T> Pages<T> of(List<T> all, Function<T, String> id, String token, int max) {
    if (max < 0) {
      throw Failures.invalid("max_entries is negative");
    }
    if (!token.isEmpty() && all.stream().noneMatch(each -> id.apply(each).equals(token))) {
      throw Failures.aborted("there is no page that begins behind \"" + token + "\" (any more)");
    }
    List<T> rest = all.stream().filter(each -> id.apply(each).compareTo(token) > 0).toList();
    if (max == 0 || rest.size() <= max) {
      return new Pages<>(rest, "");
    }
    List<T> page = rest.subList(0, max);
    return new Pages<>(page, id.apply(page.getLast()));
  }
}
