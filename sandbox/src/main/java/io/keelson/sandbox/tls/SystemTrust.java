package io.keelson.sandbox.tls;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * The authorities that the system trusts: the distribution's bundle, which administrators add to;
 * the JDK's own where there is none.
 */
public final class SystemTrust {

  /** Debian and Arch, Fedora, SUSE, Alpine. */
  private static final List<Path> BUNDLES =
      List.of(
          Path.of("/etc/ssl/certs/ca-certificates.crt"),
          Path.of("/etc/pki/tls/certs/ca-bundle.crt"),
          Path.of("/etc/ssl/ca-bundle.pem"),
          Path.of("/etc/ssl/cert.pem"));

  private SystemTrust() {}

  /** The file to read, empty for the JDK's. {@code SSL_CERT_FILE} names another, as elsewhere. */
  public static Optional<Path> bundle() {
    return Stream.concat(
            Optional.ofNullable(System.getenv("SSL_CERT_FILE")).map(Path::of).stream(),
            BUNDLES.stream())
        .filter(Files::isReadable)
        .findFirst();
  }

  public static List<X509Certificate> authorities(Optional<Path> bundle)
      throws IOException, GeneralSecurityException {
    if (bundle.isPresent()) {
      return Pem.certificates(bundle.get());
    }
    for (TrustManager manager : managers(null)) {
      if (manager instanceof X509TrustManager x509) {
        return List.of(x509.getAcceptedIssuers());
      }
    }
    return List.of();
  }

  /** What judges by these authorities; the JDK's own if null. */
  static TrustManager[] managers(@Nullable KeyStore authorities) throws GeneralSecurityException {
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(authorities);
    return factory.getTrustManagers();
  }
}
