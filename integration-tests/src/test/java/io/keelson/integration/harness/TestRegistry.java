package io.keelson.integration.harness;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A real registry (the program docker-registry) on a free port of the loopback. */
public final class TestRegistry implements AutoCloseable {

  /** Another program may take a free port before the registry does. */
  private static final int PORTS = 5;

  private static final Duration PATIENCE = Patience.ofSeconds(30);

  private final Process process;
  private final HttpClient client;
  private final URI address;
  private final Optional<Path> certificate;

  private TestRegistry(
      Process process, HttpClient client, URI address, Optional<Path> certificate) {
    this.process = process;
    this.client = client;
    this.address = address;
    this.certificate = certificate;
  }

  /** Whom {@link #htpasswd} lets in. */
  public static final String USER = "user";

  public static final String PASSWORD = "geheim";

  /** Of the password, with the least work. */
  private static final String BCRYPT =
      "$2b$04$UVN5VxTlZVjibOSJsJI8duFIpOD6T1ro673s4TIrG.39rvP3jq36G";

  /** A registry that speaks plain HTTP. */
  public static TestRegistry plain(Path folder) throws IOException {
    return start(folder, Optional.empty(), "");
  }

  /** One that wants a password, on what another has left in the folder. */
  public static TestRegistry htpasswd(Path folder) throws IOException {
    Path file = folder.resolve("htpasswd");
    Files.writeString(file, USER + ":" + BCRYPT + "\n");
    return start(
        folder,
        Optional.empty(),
        "auth:\n  htpasswd:\n    realm: test\n    path: %s\n".formatted(file));
  }

  /** One that wants a token, on what another has left in the folder. */
  public static TestRegistry tokens(Path folder, TestTokenServer server) throws IOException {
    return start(
        folder,
        Optional.empty(),
        """
        auth:
          token:
            realm: %s
            service: %s
            issuer: %s
            rootcertbundle: %s
        """
            .formatted(
                server.realm(),
                TestTokenServer.SERVICE,
                TestTokenServer.ISSUER,
                server.authority()));
  }

  /** One that wants a certificate, on what another has left in the folder. */
  public static TestRegistry mutualTls(Path folder, TestCertificates certificates)
      throws IOException {
    return start(
        folder,
        Optional.empty(),
        """
          tls:
            certificate: %s
            key: %s
            clientcas: [%s]
        """
            .formatted(certificates.server(), certificates.serverKey(), certificates.authority()));
  }

  /** A registry with a certificate of its own making. */
  public static TestRegistry tls(Path folder) throws IOException {
    Files.createDirectories(folder);
    Path certificate = folder.resolve("registry.crt");
    TestCertificates.selfSigned(
        "/CN=127.0.0.1",
        folder.resolve("registry.key"),
        certificate,
        "subjectAltName=IP:127.0.0.1");
    return start(folder, Optional.of(certificate), "");
  }

  /**
   * @param more of the configuration; it follows the section {@code http}
   */
  private static TestRegistry start(Path folder, Optional<Path> certificate, String more)
      throws IOException {
    for (int left = PORTS - 1; ; left--) {
      try {
        return start(folder, certificate, more, freePort());
      } catch (IOException e) {
        if (left == 0) {
          throw e;
        }
      }
    }
  }

  private static TestRegistry start(Path folder, Optional<Path> certificate, String more, int port)
      throws IOException {
    Files.createDirectories(folder);
    String tls =
        certificate
            .map(
                file ->
                    "  tls:\n    certificate: %s\n    key: %s\n"
                        .formatted(file, folder.resolve("registry.key")))
            .orElse("");
    Path configuration = folder.resolve("registry.yml");
    Files.writeString(
        configuration,
        """
        version: 0.1
        log:
          level: warn
          accesslog:
            disabled: true
        storage:
          filesystem:
            rootdirectory: %s
        http:
          addr: 127.0.0.1:%d
        """
                .formatted(folder.resolve("storage"), port)
            + tls
            + more);
    Process process =
        new ProcessBuilder("docker-registry", "serve", configuration.toString())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("registry.log").toFile())
            .start();
    String scheme = certificate.isPresent() ? "https" : "http";
    TestRegistry registry =
        new TestRegistry(
            process, client(certificate), URI.create(scheme + "://127.0.0.1:" + port), certificate);
    registry.awaitAnswer();
    return registry;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private static HttpClient client(Optional<Path> certificate) throws IOException {
    if (certificate.isEmpty()) {
      return HttpClient.newHttpClient();
    }
    try (var in = Files.newInputStream(certificate.get())) {
      KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
      trusted.load(null, null);
      trusted.setCertificateEntry(
          "registry", CertificateFactory.getInstance("X.509").generateCertificate(in));
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(trusted);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, trust.getTrustManagers(), null);
      return HttpClient.newBuilder().sslContext(context).build();
    } catch (GeneralSecurityException e) {
      throw new IOException(e);
    }
  }

  private void awaitAnswer() throws IOException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      try {
        new Socket(address.getHost(), address.getPort()).close();
        if (process.isAlive()) {
          return;
        }
        throw new IOException("another program answers");
      } catch (IOException e) {
        if (System.nanoTime() > end || !process.isAlive()) {
          process.destroyForcibly();
          throw new IOException("docker-registry does not answer", e);
        }
        try {
          Thread.sleep(20);
        } catch (InterruptedException interrupted) {
          Thread.currentThread().interrupt();
          throw new IOException(interrupted);
        }
      }
    }
  }

  /** {@code 127.0.0.1:PORT}, as it stands in references. */
  public String host() {
    return address.getAuthority();
  }

  public Path certificate() {
    return certificate.orElseThrow();
  }

  /** Puts an image into the registry; returns the digest of its manifest. */
  public String push(TestImage image, String repository, String tag) throws IOException {
    List<TestImage.Blob> blobs = new ArrayList<>(image.layerBlobs());
    blobs.add(image.configuration());
    for (TestImage.Blob blob : blobs) {
      pushBlob(repository, blob.digest(), BodyPublishers.ofByteArray(blob.content()));
    }
    TestImage.Blob manifest = image.manifest();
    pushManifest(repository, tag, manifest.mediaType(), manifest.content());
    return manifest.digest();
  }

  /** Puts a blob into a repository. */
  public void pushBlob(String repository, String digest, BodyPublisher content) throws IOException {
    HttpResponse<byte[]> upload =
        send(
            HttpRequest.newBuilder(address.resolve("/v2/" + repository + "/blobs/uploads/"))
                .POST(BodyPublishers.noBody())
                .build());
    URI location = address.resolve(upload.headers().firstValue("Location").orElseThrow());
    String separator = location.getQuery() == null ? "?" : "&";
    send(
        HttpRequest.newBuilder(URI.create(location + separator + "digest=" + digest))
            .header("Content-Type", "application/octet-stream")
            .PUT(content)
            .build());
  }

  /** Puts a manifest into a repository whose blobs are there. */
  public void pushManifest(String repository, String tag, String mediaType, byte[] content)
      throws IOException {
    send(
        HttpRequest.newBuilder(address.resolve("/v2/" + repository + "/manifests/" + tag))
            .header("Content-Type", mediaType)
            .PUT(BodyPublishers.ofByteArray(content))
            .build());
  }

  private HttpResponse<byte[]> send(HttpRequest request) throws IOException {
    try {
      HttpResponse<byte[]> response = client.send(request, BodyHandlers.ofByteArray());
      if (response.statusCode() >= 300) {
        throw new IOException(request + ": " + response + " " + new String(response.body(), UTF_8));
      }
      return response;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  @Override
  public void close() {
    client.close();
    process.destroy();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
