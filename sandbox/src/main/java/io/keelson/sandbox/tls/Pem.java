package io.keelson.sandbox.tls;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads certificates and private keys as text (RFC 7468). */
public final class Pem {

  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \\1-----");

  private Pem() {}

  /**
   * All certificates of a file, in its order; other blocks are passed over.
   *
   * @throws IOException if the file can't be read or holds none
   */
  public static List<X509Certificate> certificates(Path file) throws IOException {
    List<X509Certificate> certificates = new ArrayList<>();
    try {
      CertificateFactory factory = CertificateFactory.getInstance("X.509");
      Matcher block = blocks(file);
      while (block.find()) {
        if (block.group(1).endsWith("CERTIFICATE")) {
          certificates.add(
              (X509Certificate)
                  factory.generateCertificate(new ByteArrayInputStream(content(block))));
        }
      }
    } catch (CertificateException | IllegalArgumentException e) {
      throw new IOException(file + " holds a damaged certificate: " + e.getMessage(), e);
    }
    if (certificates.isEmpty()) {
      throw new IOException(file + " holds no certificates");
    }
    return certificates;
  }

  /**
   * The first private key of a file: PKCS #8, or the older forms of RSA and EC keys; not encrypted.
   *
   * @throws IOException if the file can't be read or holds none
   */
  public static PrivateKey privateKey(Path file) throws IOException {
    Matcher block = blocks(file);
    try {
      while (block.find()) {
        switch (block.group(1)) {
          case "PRIVATE KEY" -> {
            return key(content(block));
          }
          case "RSA PRIVATE KEY" -> {
            return key(Der.pkcs8OfRsa(content(block)));
          }
          case "EC PRIVATE KEY" -> {
            return key(Der.pkcs8OfEc(content(block)));
          }
          case "ENCRYPTED PRIVATE KEY" -> throw new IOException(file + " is encrypted");
          default -> {
            // Certificates and parameters.
          }
        }
      }
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new IOException(file + " holds a damaged private key: " + e.getMessage(), e);
    }
    throw new IOException(file + " holds no private key");
  }

  private static Matcher blocks(Path file) throws IOException {
    // Comments around the blocks may be in any encoding.
    return BLOCK.matcher(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1));
  }

  private static byte[] content(Matcher block) {
    return Base64.getMimeDecoder().decode(block.group(2));
  }

  private static PrivateKey key(byte[] pkcs8) throws GeneralSecurityException {
    for (String algorithm : List.of("RSA", "EC")) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
      } catch (InvalidKeySpecException e) {
        // Of another algorithm.
      }
    }
    return KeyFactory.getInstance("EdDSA").generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
  }
}
