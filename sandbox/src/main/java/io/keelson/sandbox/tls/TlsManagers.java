package io.keelson.sandbox.tls;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;

/** Makes what TLS needs out of certificates and keys. */
public final class TlsManagers {

  private static final char[] NO_PASSWORD = {};

  private TlsManagers() {}

  /**
   * Shows one of these certificates, whichever fits the other side.
   *
   * @throws IOException if a file can't be read, or a key is not that of its certificate
   */
  public static X509ExtendedKeyManager keys(List<KeyFiles> all) throws IOException {
    try {
      KeyStore store = emptyStore();
      for (int i = 0; i < all.size(); i++) {
        KeyFiles files = all.get(i);
        List<X509Certificate> chain = Pem.certificates(files.certificate());
        PrivateKey key = Pem.privateKey(files.key());
        if (!belong(key, chain.getFirst().getPublicKey())) {
          throw new IOException(
              "the key in %s is not that of the certificate in %s"
                  .formatted(files.key(), files.certificate()));
        }
        store.setKeyEntry("own-" + i, key, NO_PASSWORD, chain.toArray(X509Certificate[]::new));
      }
      KeyManagerFactory factory =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      factory.init(store, NO_PASSWORD);
      return (X509ExtendedKeyManager) factory.getKeyManagers()[0];
    } catch (GeneralSecurityException e) {
      throw new IOException("TLS can't be spoken with " + all + ": " + e.getMessage(), e);
    }
  }

  /** Trusts whom these authorities have certified. */
  public static X509ExtendedTrustManager trust(List<X509Certificate> authorities)
      throws IOException {
    try {
      KeyStore store = emptyStore();
      for (int i = 0; i < authorities.size(); i++) {
        store.setCertificateEntry("authority-" + i, authorities.get(i));
      }
      for (TrustManager manager : SystemTrust.managers(store)) {
        if (manager instanceof X509ExtendedTrustManager x509) {
          return x509;
        }
      }
      throw new IOException("the JDK does not judge certificates");
    } catch (GeneralSecurityException e) {
      throw new IOException("certificates can't be trusted: " + e.getMessage(), e);
    }
  }

  /** Of two files that are renewed one after the other, there is a moment when they don't. */
  private static boolean belong(PrivateKey key, PublicKey certified)
      throws GeneralSecurityException {
    if (!key.getAlgorithm().equals(certified.getAlgorithm())) {
      return false;
    }
    Optional<String> algorithm =
        switch (key.getAlgorithm()) {
          case "RSA" -> Optional.of("SHA256withRSA");
          case "EC" -> Optional.of("SHA256withECDSA");
          case "EdDSA" -> Optional.of("EdDSA");
          default -> Optional.empty();
        };
    if (algorithm.isEmpty()) {
      return true; // nobody knows better
    }
    Signature signature = Signature.getInstance(algorithm.get());
    signature.initSign(key);
    signature.update((byte) 1);
    byte[] signed = signature.sign();
    signature.initVerify(certified);
    signature.update((byte) 1);
    return signature.verify(signed);
  }

  private static KeyStore emptyStore() throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    return store;
  }
}
