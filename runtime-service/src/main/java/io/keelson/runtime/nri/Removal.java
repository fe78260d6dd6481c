package io.keelson.runtime.nri;

/** The minus before a key, name, path or type, by which a plugin takes something away. */
final class Removal {

  private static final String MARK = "-";

  private Removal() {}

  static boolean isMarked(String key) {
    return key.startsWith(MARK);
  }

  /** Without the mark, if there is one. */
  static String key(String markedOrNot) {
    return isMarked(markedOrNot) ? markedOrNot.substring(MARK.length()) : markedOrNot;
  }

  static String mark(String key) {
    return MARK + key;
  }
}
