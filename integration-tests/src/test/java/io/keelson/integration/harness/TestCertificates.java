package io.keelson.integration.harness;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * An authority of the test's own, with a server's certificate, for 127.0.0.1 and registry.test, and
 * clients'.
 */
public record TestCertificates(Path folder) {

  /** Makes them by openssl. */
  public static TestCertificates create(Path folder) throws IOException {
    TestCertificates made = new TestCertificates(Files.createDirectories(folder));
    selfSigned("/CN=authority", folder.resolve("ca.key"), folder.resolve("ca.crt"));
    Files.writeString(
        folder.resolve("server.ext"), "subjectAltName=IP:127.0.0.1,DNS:registry.test\n");
    Files.writeString(folder.resolve("client.ext"), "extendedKeyUsage=clientAuth\n");
    made.sign("server", "rsa:2048");
    made.sign("client", "rsa:2048");
    Shell.output(
        "openssl",
        "rsa",
        "-traditional",
        "-in",
        made.file("client.key"),
        "-out",
        made.file("client-old.key"));
    // The key of elliptic curves as openssl's ecparam writes it.
    Shell.output(
        "openssl", "ecparam", "-name", "prime256v1", "-genkey", "-out", made.file("curve.key"));
    made.sign("curve", "");
    Files.writeString(
        folder.resolve("both.pem"),
        Files.readString(folder.resolve("client.crt"))
            + Files.readString(folder.resolve("client.key")));
    return made;
  }

  /** Gives the server a new key and certificate in the place of the old ones. */
  public void renewServer() {
    sign("server", "rsa:2048");
  }

  /** Makes a certificate for 127.0.0.1 that the authority has not signed. */
  public void stranger(String name) {
    selfSigned(
        "/CN=" + name,
        folder.resolve(name + ".key"),
        folder.resolve(name + ".crt"),
        "subjectAltName=IP:127.0.0.1");
  }

  /**
   * TLS of a client that trusts the authority.
   *
   * @param name whose certificate it shows; empty for none
   */
  public SSLContext client(String name) throws IOException, GeneralSecurityException {
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    try (InputStream in = Files.newInputStream(folder.resolve("ca.crt"))) {
      trusted.setCertificateEntry(
          "ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
    }
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(trusted);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(name.isEmpty() ? null : keys(name), trust.getTrustManagers(), null);
    return context;
  }

  private KeyManager[] keys(String name) throws IOException, GeneralSecurityException {
    char[] password = "secret".toCharArray();
    Shell.output(
        "openssl",
        "pkcs12",
        "-export",
        "-in",
        file(name + ".crt"),
        "-inkey",
        file(name + ".key"),
        "-passout",
        "pass:secret",
        "-out",
        file(name + ".p12"));
    KeyStore own = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(folder.resolve(name + ".p12"))) {
      own.load(in, password);
    }
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(own, password);
    return keys.getKeyManagers();
  }

  /**
   * Makes a key and a certificate that nobody else has signed.
   *
   * @param extensions as openssl's option {@code -addext} takes them
   */
  static void selfSigned(String subject, Path key, Path certificate, String... extensions) {
    List<String> command =
        new ArrayList<>(
            List.of("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"));
    command.addAll(List.of("-subj", subject, "-keyout", key.toString()));
    command.addAll(List.of("-out", certificate.toString()));
    List.of(extensions).forEach(each -> command.addAll(List.of("-addext", each)));
    Shell.output(command.toArray(String[]::new));
  }

  private void sign(String name, String newKey) {
    if (!newKey.isEmpty()) {
      Shell.output(
          "openssl",
          "req",
          "-newkey",
          newKey,
          "-nodes",
          "-subj",
          "/CN=" + name,
          "-keyout",
          file(name + ".key"),
          "-out",
          file(name + ".csr"));
    } else {
      Shell.output(
          "openssl",
          "req",
          "-new",
          "-key",
          file(name + ".key"),
          "-subj",
          "/CN=" + name,
          "-out",
          file(name + ".csr"));
    }
    Shell.output(
        "openssl",
        "x509",
        "-req",
        "-days",
        "2",
        "-in",
        file(name + ".csr"),
        "-CA",
        file("ca.crt"),
        "-CAkey",
        file("ca.key"),
        "-CAcreateserial",
        "-extfile",
        file(name.equals("server") ? "server.ext" : "client.ext"),
        "-out",
        file(name + ".crt"));
  }

  /** A name in the folder, or an absolute path. */
  private String file(String name) {
    return folder.resolve(name).toString();
  }

  public Path authority() {
    return folder.resolve("ca.crt");
  }

  public Path authorityKey() {
    return folder.resolve("ca.key");
  }

  public Path server() {
    return folder.resolve("server.crt");
  }

  public Path serverKey() {
    return folder.resolve("server.key");
  }

  /** Clients as they stand in the list {@code client} of a hosts.toml, each in another form. */
  public List<String> clients() {
    return List.of(
        "[\"%s\", \"%s\"]".formatted(file("client.crt"), file("client.key")),
        "[\"%s\", \"%s\"]".formatted(file("client.crt"), file("client-old.key")),
        "[\"%s\", \"%s\"]".formatted(file("curve.crt"), file("curve.key")),
        "\"%s\"".formatted(file("both.pem")));
  }
}
