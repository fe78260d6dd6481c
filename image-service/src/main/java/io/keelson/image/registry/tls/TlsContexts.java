package io.keelson.image.registry.tls;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.keelson.image.registry.hosts.TlsFiles;
import io.keelson.sandbox.tls.Pem;
import io.keelson.sandbox.tls.SystemTrust;
import io.keelson.sandbox.tls.TlsManagers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;

/**
 * Makes what TLS needs from files, once for as long as these don't change: connections are kept
 * open by it, and reading the system's authorities takes time. Safe for use by many threads.
 */
public final class TlsContexts {

  private final Optional<Path> authorities;
  private final Cache<Key, Tls> known = Caffeine.newBuilder().maximumSize(64).build();

  private record Key(TlsFiles files, List<FileTime> changed) {}

  /**
   * @param authorities certificates (PEM) that are trusted for every host, besides the system's
   * @throws IOException if they can't be read
   */
  public TlsContexts(Optional<Path> authorities) throws IOException {
    this.authorities = authorities;
    if (authorities.isPresent()) {
      List<X509Certificate> ignored = Pem.certificates(authorities.get());
    }
  }

  /**
   * @throws IOException if a file can't be read or is not what it should be
   */
  public Tls of(TlsFiles files) throws IOException {
    Optional<Path> bundle = SystemTrust.bundle();
    List<FileTime> changed = new ArrayList<>();
    for (Path file :
        Stream.concat(files.files().stream(), Stream.concat(authorities.stream(), bundle.stream()))
            .toList()) {
      changed.add(Files.getLastModifiedTime(file));
    }
    Key key = new Key(files, changed);
    Tls existing = known.getIfPresent(key);
    if (existing != null) {
      return existing;
    }
    Tls made = make(files, bundle);
    // The first one wins, so that connections are kept in one place.
    Tls raced = known.asMap().putIfAbsent(key, made);
    return raced == null ? made : raced;
  }

  private Tls make(TlsFiles files, Optional<Path> bundle) throws IOException {
    try {
      TrustManager[] trust = {
        files.skipVerify() ? new TrustEverybody() : TlsManagers.trust(trusted(files, bundle))
      };
      KeyManager[] own = {TlsManagers.keys(files.clients())};
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(own, trust, null);
      return new Tls(context.getSocketFactory(), files.skipVerify());
    } catch (GeneralSecurityException e) {
      throw new IOException("certificates of " + files.files() + ": " + e.getMessage(), e);
    }
  }

  private List<X509Certificate> trusted(TlsFiles files, Optional<Path> bundle)
      throws IOException, GeneralSecurityException {
    List<X509Certificate> certificates = new ArrayList<>(SystemTrust.authorities(bundle));
    for (Path file : Stream.concat(authorities.stream(), files.authorities().stream()).toList()) {
      certificates.addAll(Pem.certificates(file));
    }
    return certificates;
  }
}
