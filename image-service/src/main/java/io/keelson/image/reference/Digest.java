package io.keelson.image.reference;

import io.keelson.sandbox.error.InvalidRequestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;

/**
 * The name that content has by itself (OCI image spec, descriptor).
 *
 * @param algorithm which hash
 * @param hex the hash, in lower-case hexadecimal digits
 */
public record Digest(Algorithm algorithm, String hex) {

  /** The hashes that are accepted. */
  public enum Algorithm {
    SHA256("sha256", "SHA-256", 64),
    SHA512("sha512", "SHA-512", 128);

    private final String prefix;
    private final String javaName;
    private final int digits;

    Algorithm(String prefix, String javaName, int digits) {
      this.prefix = prefix;
      this.javaName = javaName;
      this.digits = digits;
    }

    /** A fresh computation. */
    public MessageDigest start() {
      try {
        return MessageDigest.getInstance(javaName);
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException("this JDK lacks " + javaName, e);
      }
    }

    /** The end of a computation. */
    public Digest finish(MessageDigest computation) {
      return new Digest(this, HexFormat.of().formatHex(computation.digest()));
    }
  }

  public Digest {
    if (hex.length() != algorithm.digits || !isHex(hex)) {
      throw new InvalidRequestException(
          "digest of %s must have %d hexadecimal digits in lower case: \"%s\""
              .formatted(algorithm.prefix, algorithm.digits, hex));
    }
  }

  /**
   * Reads {@code algorithm:hex}.
   *
   * @throws InvalidRequestException if it is none, or of an unknown algorithm
   */
  public static Digest parse(String text) {
    int colon = text.indexOf(':');
    String prefix = colon < 0 ? "" : text.substring(0, colon);
    for (Algorithm algorithm : Algorithm.values()) {
      if (algorithm.prefix.equals(prefix)) {
        return new Digest(algorithm, text.substring(colon + 1));
      }
    }
    throw new InvalidRequestException("no digest of sha256 or sha512: \"" + text + "\"");
  }

  /** As {@link #parse}, empty if it is none. */
  public static Optional<Digest> tryParse(String text) {
    try {
      return Optional.of(parse(text));
    } catch (InvalidRequestException e) {
      return Optional.empty();
    }
  }

  /** The SHA-256 of the bytes. */
  public static Digest of(byte[] content) {
    return of(Algorithm.SHA256, content);
  }

  public static Digest of(Algorithm algorithm, byte[] content) {
    MessageDigest computation = algorithm.start();
    computation.update(content);
    return algorithm.finish(computation);
  }

  /** True if every character is a hexadecimal digit in lower case. */
  static boolean isHex(String text) {
    return text.chars().allMatch(c -> (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
  }

  @Override
  public String toString() {
    return algorithm.prefix + ":" + hex;
  }
}
