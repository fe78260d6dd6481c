package io.keelson.csi.kind;

import io.keelson.sandbox.error.InvalidRequestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/** Permissions as people write them. */
final class Modes {

  private static final int OCTAL = 8;

  private Modes() {}

  /**
   * @param text octal, {@code ""} for the default
   */
  static int parse(String text, int fallback) {
    if (text.isEmpty()) {
      return fallback;
    }
    if (!text.matches("0?[0-7]{3,4}")) {
      throw new InvalidRequestException("\"" + text + "\" is no mode such as \"0755\"");
    }
    return Integer.parseInt(text, OCTAL);
  }

  /** Sets them whatever the process' umask. */
  static void set(Path path, int mode) throws IOException {
    Files.setAttribute(path, "unix:mode", mode);
  }

  static void setOwner(Path path, long uid, long gid) throws IOException {
    Files.setAttribute(path, "unix:uid", (int) uid, LinkOption.NOFOLLOW_LINKS);
    Files.setAttribute(path, "unix:gid", (int) gid, LinkOption.NOFOLLOW_LINKS);
  }
}
