package io.keelson.runtime.streaming;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Certificates and keys in PEM (RFC 7468), in the forms in which Kubernetes' tools write them. */
final class PemFile {

  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\\s]+)-----END \\1-----");

  /** RSA's AlgorithmIdentifier (RFC 8017, A.1). */
  private static final String RSA = "300d06092a864886f70d0101010500";

  /** The identifier of keys on elliptic curves (RFC 5480, 2.1.1). */
  private static final String EC = "06072a8648ce3d0201";

  private PemFile() {}

  /** All certificates of a file. */
  static List<? extends Certificate> certificates(Path file)
      throws IOException, GeneralSecurityException {
    List<? extends Certificate> found =
        List.copyOf(
            CertificateFactory.getInstance("X.509")
                .generateCertificates(new ByteArrayInputStream(Files.readAllBytes(file))));
    if (found.isEmpty()) {
      throw new IOException(file + " holds no certificate");
    }
    return found;
  }

  /** The first private key of a file: PKCS #8, or the older forms of RSA and of elliptic curves. */
  static PrivateKey privateKey(Path file) throws IOException, GeneralSecurityException {
    Matcher block = BLOCK.matcher(Files.readString(file, StandardCharsets.US_ASCII));
    while (block.find()) {
      byte[] der = Base64.getMimeDecoder().decode(block.group(2));
      switch (block.group(1)) {
        case "PRIVATE KEY" -> {
          return key(der, file);
        }
        case "RSA PRIVATE KEY" -> {
          return key(pkcs8(HexFormat.of().parseHex(RSA), der), file);
        }
        case "EC PRIVATE KEY" -> {
          byte[] algorithm = tagged(0x30, HexFormat.of().parseHex(EC + curve(der, file)));
          return key(pkcs8(algorithm, der), file);
        }
        default -> {} // parameters of a curve, or a certificate
      }
    }
    throw new IOException(file + " holds no private key that is not encrypted");
  }

  private static PrivateKey key(byte[] pkcs8, Path file)
      throws IOException, GeneralSecurityException {
    for (String algorithm : List.of("RSA", "EC", "EdDSA")) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
      } catch (InvalidKeySpecException e) {
        // of another kind, then
      }
    }
    throw new IOException(file + " holds a private key of an unknown kind");
  }

  /** PrivateKeyInfo (RFC 5208, 5). */
  private static byte[] pkcs8(byte[] algorithm, byte[] key) {
    byte[] version = {0x02, 0x01, 0x00};
    return tagged(0x30, joined(List.of(version, algorithm, tagged(0x04, key))));
  }

  /** The curve's identifier out of an ECPrivateKey (RFC 5915, 3), as hexadecimal digits. */
  private static String curve(byte[] der, Path file) throws IOException {
    String digits = HexFormat.of().formatHex(der);
    // [0] with an object identifier in it, behind the key's own octets
    Matcher parameters = Pattern.compile("a0(..)06(..)").matcher(digits);
    while (parameters.find()) {
      int outer = Integer.parseInt(parameters.group(1), 16);
      int inner = Integer.parseInt(parameters.group(2), 16);
      int start = parameters.start() + 4;
      if (parameters.start() % 2 == 0
          && outer == inner + 2
          && start + 2 * outer <= digits.length()) {
        return digits.substring(start, start + 2 * outer);
      }
    }
    throw new IOException(file + " does not say of which curve its key is");
  }

  private static byte[] tagged(int tag, byte[] content) {
    int length = content.length;
    ByteBuffer result = ByteBuffer.allocate(4 + length).put((byte) tag);
    if (length < 0x80) {
      result.put((byte) length);
    } else if (length < 0x100) {
      result.put((byte) 0x81).put((byte) length);
    } else {
      result.put((byte) 0x82).putShort((short) length);
    }
    result.put(content);
    byte[] bytes = new byte[result.position()];
    result.flip().get(bytes);
    return bytes;
  }

  private static byte[] joined(List<byte[]> parts) {
    ByteBuffer all = ByteBuffer.allocate(parts.stream().mapToInt(part -> part.length).sum());
    parts.forEach(all::put);
    return all.array();
  }
}
