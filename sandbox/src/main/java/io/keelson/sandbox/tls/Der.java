package io.keelson.sandbox.tls;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.HexFormat;

/** Wraps older forms of private keys into PKCS #8 (RFC 5958), the one that the JDK reads. */
final class Der {

  private static final int SEQUENCE = 0x30;
  private static final int OCTETS = 0x04;
  private static final int PARAMETERS = 0xa0;
  private static final byte[] VERSION_0 = {2, 1, 0};
  private static final byte[] RSA_ENCRYPTION =
      HexFormat.of().parseHex("06092a864886f70d0101010500");
  private static final byte[] EC_PUBLIC_KEY = HexFormat.of().parseHex("06072a8648ce3d0201");

  private Der() {}

  /** Of an RSAPrivateKey (RFC 8017, A.1.2). */
  static byte[] pkcs8OfRsa(byte[] key) {
    return element(
        SEQUENCE, join(VERSION_0, element(SEQUENCE, RSA_ENCRYPTION), element(OCTETS, key)));
  }

  /**
   * Of an ECPrivateKey (RFC 5915).
   *
   * @throws IllegalArgumentException if it does not name its curve
   */
  static byte[] pkcs8OfEc(byte[] key) {
    byte[] curve = curve(key);
    return element(
        SEQUENCE,
        join(VERSION_0, element(SEQUENCE, join(EC_PUBLIC_KEY, curve)), element(OCTETS, key)));
  }

  /** What the element [0] of the sequence holds. */
  private static byte[] curve(byte[] key) {
    int at = contentStart(key, 0);
    while (at < key.length) {
      int start = contentStart(key, at);
      int end = start + length(key, at);
      if (end > key.length) {
        break;
      }
      if ((key[at] & 0xff) == PARAMETERS) {
        return Arrays.copyOfRange(key, start, end);
      }
      at = end;
    }
    throw new IllegalArgumentException("it does not name its curve");
  }

  private static int contentStart(byte[] der, int at) {
    int first = byteAt(der, at + 1);
    return at + 2 + (first < 0x80 ? 0 : first & 0x7f);
  }

  private static int length(byte[] der, int at) {
    int first = byteAt(der, at + 1);
    if (first < 0x80) {
      return first;
    }
    int length = 0;
    for (int i = 0; i < (first & 0x7f); i++) {
      length = length << 8 | byteAt(der, at + 2 + i);
    }
    if (length < 0) {
      throw new IllegalArgumentException("it is cut off");
    }
    return length;
  }

  private static int byteAt(byte[] der, int at) {
    if (at < 0 || at >= der.length) {
      throw new IllegalArgumentException("it is cut off");
    }
    return der[at] & 0xff;
  }

  private static byte[] element(int tag, byte[] content) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(tag);
    if (content.length < 0x80) {
      out.write(content.length);
    } else if (content.length < 0x100) {
      out.write(0x81);
      out.write(content.length);
    } else {
      out.write(0x82);
      out.write(content.length >> 8);
      out.write(content.length);
    }
    out.writeBytes(content);
    return out.toByteArray();
  }

  private static byte[] join(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }
}
