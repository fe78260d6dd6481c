package io.keelson.linux.cgroup;

import java.util.regex.Pattern;

/** How systemd nests slices: the dashes in a slice's name are its path (systemd.slice(5)). */
final class SystemdSlices {

  private static final String SUFFIX = ".slice";

  /**
   * No part between two dashes may be empty; the characters are those of unit names
   * (systemd.unit(5)).
   */
  private static final Pattern NAME =
      Pattern.compile("[A-Za-z0-9:_.\\\\]+(-[A-Za-z0-9:_.\\\\]+)*\\.slice");

  private SystemdSlices() {}

  static void check(String name) {
    if (!name.equals("-.slice") && (!NAME.matcher(name).matches() || name.contains(".."))) {
      throw new IllegalArgumentException(
          "with the systemd cgroup driver a parent is a slice such as kubepods-pod1.slice, not \""
              + name
              + "\"");
    }
  }

  /** {@code a-b.slice} is {@code /a.slice/a-b.slice}; the root slice is {@code ""}. */
  static String expand(String name) {
    check(name);
    if (name.equals("-.slice")) {
      return "";
    }
    StringBuilder path = new StringBuilder();
    int length = name.length() - SUFFIX.length();
    for (int dash = name.indexOf('-'); dash > 0; dash = name.indexOf('-', dash + 1)) {
      path.append('/').append(name, 0, dash).append(SUFFIX);
    }
    return path.append('/').append(name, 0, length).append(SUFFIX).toString();
  }
}
