package io.keelson.runtime.nri;

import java.util.regex.Pattern;

/**
 * Who a plugin is.
 *
 * @param index two digits: plugins are asked in the order of their indices
 * @param name of letters, digits and {@code _.+-}
 * @param origin how it came
 */
record PluginIdentity(String index, String name, Origin origin) {

  private static final Pattern INDEX = Pattern.compile("[0-9]{2}");
  private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9_.+-]+");

  /** How a plugin came. */
  enum Origin {
    /** It was started from the folder of plugins. */
    STARTED,
    /** It connected to the socket. */
    CONNECTED
  }

  PluginIdentity {
    if (!INDEX.matcher(index).matches()) {
      throw new IllegalArgumentException(
          "the index of a plugin is two digits, not \"%s\"".formatted(index));
    }
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "the name of a plugin has letters, digits and _.+- alone: \"%s\"".formatted(name));
    }
  }

  /**
   * From the name of a program in the folder.
   *
   * @throws IllegalArgumentException if it is not {@code NN-name}
   */
  static PluginIdentity ofFile(String fileName) {
    int dash = fileName.indexOf('-');
    if (dash < 0) {
      throw new IllegalArgumentException("a plugin is named NN-name, not \"" + fileName + "\"");
    }
    return new PluginIdentity(
        fileName.substring(0, dash), fileName.substring(dash + 1), Origin.STARTED);
  }

  String label() {
    return index + "-" + name;
  }
}
