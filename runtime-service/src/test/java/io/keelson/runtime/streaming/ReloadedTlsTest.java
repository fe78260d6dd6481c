package io.keelson.runtime.streaming;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.sandbox.tls.Pem;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPrivateKey;
import java.security.interfaces.RSAPrivateKey;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** TLS with keys that the JDK's keytool makes. */
class ReloadedTlsTest {

  @TempDir private Path folder;

  private record Pair(PrivateKey key, X509Certificate certificate) {}

  private Pair pair(String name, String algorithm) throws Exception {
    Path store = folder.resolve(name + algorithm + ".p12");
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
            "-J-XX:TieredStopAtLevel=1",
            "-genkeypair",
            "-alias",
            "a",
            "-keyalg",
            algorithm,
            "-keysize",
            algorithm.equals("RSA") ? "2048" : "256",
            "-dname",
            "CN=" + name,
            "-ext",
            "SAN=IP:127.0.0.1",
            "-storetype",
            "PKCS12",
            "-keystore",
            store.toString(),
            "-storepass",
            "secret");
    assertThat(new ProcessBuilder(command).start().waitFor()).isZero();
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, "secret".toCharArray());
    }
    return new Pair(
        (PrivateKey) keys.getKey("a", "secret".toCharArray()),
        (X509Certificate) keys.getCertificate("a"));
  }

  private StreamingSettings.Tls write(Pair pair, FileTime time) throws Exception {
    Path certificate = folder.resolve("cert.pem");
    Path key = folder.resolve("key.pem");
    Files.writeString(certificate, pem("CERTIFICATE", pair.certificate().getEncoded()));
    Files.writeString(key, pem("PRIVATE KEY", pair.key().getEncoded()));
    Files.setLastModifiedTime(certificate, time);
    Files.setLastModifiedTime(key, time);
    return new StreamingSettings.Tls(certificate, key, Optional.empty());
  }

  private static String pem(String label, byte[] der) {
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
        .formatted(label, Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der), label);
  }

  /** Connects once; gives the certificate that the server showed to a client that trusts it. */
  private static Certificate shown(ReloadedTls tls, X509Certificate trusted) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    store.setCertificateEntry("a", trusted);
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(store);
    SSLContext client = SSLContext.getInstance("TLS");
    client.init(null, trust.getTrustManagers(), null);
    try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Thread server =
          Thread.startVirtualThread(
              () -> {
                try (Socket socket = tls.secure(listener.accept())) {
                  socket.getOutputStream().write(socket.getInputStream().read() + 1);
                } catch (IOException e) {
                  throw new IllegalStateException(e);
                }
              });
      try (SSLSocket socket =
          (SSLSocket)
              client.getSocketFactory().createSocket("127.0.0.1", listener.getLocalPort())) {
        socket.getOutputStream().write(6);
        assertThat(socket.getInputStream().read()).isEqualTo(7);
        return socket.getSession().getPeerCertificates()[0];
      } finally {
        server.join();
      }
    }
  }

  @Test
  void aNewCertificateIsServedAndABrokenOneLeavesTheLastInPlace() throws Exception {
    Pair first = pair("first", "RSA");
    Pair second = pair("second", "EC");
    ReloadedTls tls = ReloadedTls.open(write(first, FileTime.fromMillis(1_000)));
    assertThat(shown(tls, first.certificate())).isEqualTo(first.certificate());

    write(second, FileTime.fromMillis(2_000));
    assertThat(shown(tls, second.certificate())).isEqualTo(second.certificate());

    Files.writeString(
        folder.resolve("cert.pem"), pem("CERTIFICATE", first.certificate().getEncoded()));
    assertThat(shown(tls, second.certificate()))
        .as("the new certificate has come, its key has not")
        .isEqualTo(second.certificate());
    Files.writeString(folder.resolve("key.pem"), "half a ke");
    assertThat(shown(tls, second.certificate())).isEqualTo(second.certificate());
    assertThatThrownBy(
            () ->
                ReloadedTls.open(
                    new StreamingSettings.Tls(
                        folder.resolve("cert.pem"), folder.resolve("key.pem"), Optional.empty())))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("key.pem");
  }

  @ParameterizedTest
  @ValueSource(strings = {"RSA", "EC"})
  void theOlderFormsOfKeysAreReadToo(String algorithm) throws Exception {
    Pair pair = pair("old", algorithm);
    byte[] pkcs8 = pair.key().getEncoded();
    Path file = folder.resolve("old.pem");
    Files.writeString(file, pem(algorithm + " PRIVATE KEY", older(pkcs8, algorithm)));

    assertThat(secret(Pem.privateKey(file))).isEqualTo(secret(pair.key()));
  }

  private static BigInteger secret(PrivateKey key) {
    return key instanceof ECPrivateKey ec ? ec.getS() : ((RSAPrivateKey) key).getPrivateExponent();
  }

  /** What is within the octets of a PKCS #8 key, as older tools wrote it on its own. */
  private static byte[] older(byte[] pkcs8, String algorithm) {
    HexFormat hex = HexFormat.of();
    if (algorithm.equals("RSA")) {
      int start = hex.formatHex(pkcs8).indexOf("050004") / 2 + 2;
      return Arrays.copyOfRange(pkcs8, start + 4, pkcs8.length);
    }
    // SEQUENCE { 1, key }, to which older tools add the curve, which PKCS #8 has outside.
    String text = hex.formatHex(pkcs8);
    int curve = text.indexOf("06072a8648ce3d0201") + 18;
    int curveLength = 2 * (2 + Integer.parseInt(text.substring(curve + 2, curve + 4), 16));
    String oid = text.substring(curve, curve + curveLength);
    int octets = text.indexOf("020101", curve + curveLength);
    int keyLength = Integer.parseInt(text.substring(octets + 8, octets + 10), 16);
    String key = text.substring(octets, octets + 10 + 2 * keyLength);
    String parameters = "a0%02x".formatted(oid.length() / 2) + oid;
    String content = key + parameters;
    return hex.parseHex("30%02x".formatted(content.length() / 2) + content);
  }
}
