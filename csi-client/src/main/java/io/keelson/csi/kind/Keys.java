package io.keelson.csi.kind;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Names for volumes that are safe as names of files, whatever ids their drivers gave them. */
final class Keys {

  private static final int DIGITS = 32;

  private Keys() {}

  static String of(String driver, String volumeId) {
    return driver.replaceAll("[^A-Za-z0-9.-]", "_") + "~" + digest(volumeId);
  }

  /** The id that the daemon gives to a volume which its driver makes when it is published. */
  static String ephemeralId(String publicationId) {
    return "csi-" + digest(publicationId);
  }

  private static String digest(String text) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest).substring(0, DIGITS);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
