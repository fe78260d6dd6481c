package io.keelson.runtime.streaming;

import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * TLS with files that are read again when they have changed, so that certificates can be renewed
 * while the daemon runs. While new ones are unfit, half written perhaps, the last ones serve. Safe
 * for use by many threads.
 */
final class ReloadedTls {

  private static final Logger LOG = LoggerFactory.getLogger(ReloadedTls.class);

  private static final char[] NO_PASSWORD = {};

  private final StreamingSettings.Tls settings;
  private final ReentrantLock lock = new ReentrantLock();
  private List<FileTime> times; // guarded by lock
  private SSLContext context; // guarded by lock

  private ReloadedTls(StreamingSettings.Tls settings, List<FileTime> times, SSLContext context) {
    this.settings = settings;
    this.times = times;
    this.context = context;
  }

  /**
   * Reads the files.
   *
   * @throws IOException if one is missing or unfit
   */
  static ReloadedTls open(StreamingSettings.Tls settings) throws IOException {
    return new ReloadedTls(settings, times(settings), load(settings));
  }

  /** The server's side of TLS on a connection; closing it closes the connection. */
  Socket secure(Socket connection) throws IOException {
    SSLSocket socket =
        (SSLSocket)
            current().getSocketFactory().createSocket(connection, null, connection.getPort(), true);
    socket.setUseClientMode(false);
    socket.setNeedClientAuth(settings.clientCa().isPresent());
    return socket;
  }

  private SSLContext current() {
    lock.lock();
    try {
      List<FileTime> now = times(settings);
      if (!now.equals(times)) {
        times = now;
        context = load(settings);
        LOG.atInfo()
            .addKeyValue("certificate", settings.certificate())
            .log("streams are served with a new certificate");
      }
    } catch (IOException e) {
      LOG.atWarn()
          .setCause(e)
          .addKeyValue("certificate", settings.certificate())
          .log("streams are still served with the last certificate");
    } finally {
      lock.unlock();
    }
    return context;
  }

  private static List<FileTime> times(StreamingSettings.Tls settings) throws IOException {
    List<FileTime> times = new ArrayList<>();
    times.add(Files.getLastModifiedTime(settings.certificate()));
    times.add(Files.getLastModifiedTime(settings.key()));
    if (settings.clientCa().isPresent()) {
      times.add(Files.getLastModifiedTime(settings.clientCa().get()));
    }
    return times;
  }

  private static SSLContext load(StreamingSettings.Tls settings) throws IOException {
    try {
      List<? extends Certificate> chain = PemFile.certificates(settings.certificate());
      PrivateKey key = PemFile.privateKey(settings.key());
      if (!belong(key, chain.getFirst().getPublicKey())) {
        throw new IOException(
            "the key in %s is not that of the certificate in %s"
                .formatted(settings.key(), settings.certificate()));
      }
      KeyStore own = KeyStore.getInstance("PKCS12");
      own.load(null, NO_PASSWORD);
      own.setKeyEntry("server", key, NO_PASSWORD, chain.toArray(Certificate[]::new));
      KeyManagerFactory keys =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      keys.init(own, NO_PASSWORD);
      SSLContext context = SSLContext.getInstance("TLS");
      Optional<TrustManagerFactory> clients = clients(settings.clientCa());
      context.init(
          keys.getKeyManagers(),
          clients.map(TrustManagerFactory::getTrustManagers).orElse(null),
          null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IOException(
          "TLS can't be served with %s and %s: %s"
              .formatted(settings.certificate(), settings.key(), e.getMessage()),
          e);
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

  private static Optional<TrustManagerFactory> clients(Optional<Path> ca)
      throws IOException, GeneralSecurityException {
    if (ca.isEmpty()) {
      return Optional.empty();
    }
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, NO_PASSWORD);
    int number = 0;
    for (Certificate certificate : PemFile.certificates(ca.get())) {
      trusted.setCertificateEntry("ca" + number++, certificate);
    }
    TrustManagerFactory result =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    result.init(trusted);
    return Optional.of(result);
  }
}
