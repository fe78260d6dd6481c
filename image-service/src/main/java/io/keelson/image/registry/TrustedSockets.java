package io.keelson.image.registry;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/** TLS that trusts what the system trusts, and certificates of the node's owner besides. */
final class TrustedSockets {

  private TrustedSockets() {}

  /**
   * @throws IOException if the file can't be read or holds no certificates
   */
  static SSLSocketFactory create(Optional<Path> caFile) throws IOException {
    if (caFile.isEmpty()) {
      return (SSLSocketFactory) SSLSocketFactory.getDefault();
    }
    try {
      KeyStore all = KeyStore.getInstance(KeyStore.getDefaultType());
      all.load(null, null);
      int count = 0;
      for (X509Certificate certificate : systemCertificates()) {
        all.setCertificateEntry("system-" + count++, certificate);
      }
      for (Certificate certificate : certificates(caFile.get())) {
        all.setCertificateEntry("owner-" + count++, certificate);
      }
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, trustManagers(all), null);
      return context.getSocketFactory();
    } catch (GeneralSecurityException e) {
      throw new IOException("certificates of " + caFile.get() + ": " + e.getMessage(), e);
    }
  }

  private static Iterable<? extends Certificate> certificates(Path file)
      throws IOException, CertificateException {
    try (InputStream in = Files.newInputStream(file)) {
      var certificates = CertificateFactory.getInstance("X.509").generateCertificates(in);
      if (certificates.isEmpty()) {
        throw new IOException(file + " holds no certificates");
      }
      return certificates;
    }
  }

  private static Iterable<X509Certificate> systemCertificates() throws GeneralSecurityException {
    KeyStore system = null;
    for (TrustManager manager : trustManagers(system)) {
      if (manager instanceof X509TrustManager x509) {
        return Arrays.asList(x509.getAcceptedIssuers());
      }
    }
    return java.util.List.of();
  }

  private static TrustManager[] trustManagers(
      @org.jspecify.annotations.Nullable KeyStore certificates) throws GeneralSecurityException {
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(certificates);
    return factory.getTrustManagers();
  }
}
