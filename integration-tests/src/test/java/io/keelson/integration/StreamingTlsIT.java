package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.SpdyClient;
import io.keelson.integration.harness.TestCertificates;
import io.keelson.integration.harness.TestNode;
import io.keelson.integration.harness.WebSocketClient;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.security.cert.Certificate;
import javax.net.SocketFactory;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Streams over TLS through the whole daemon, with certificates on both sides. */
class StreamingTlsIT {

  private static final String V4 = "v4.channel.k8s.io";
  private static final String V5 = "v5.channel.k8s.io";

  @RegisterExtension static final TestNode node = TestNode.create();

  private static final TestCertificates CERTIFICATES = configure();

  private final Cri cri = node.cri();
  private String container = "";

  private static TestCertificates configure() {
    try {
      TestCertificates made = TestCertificates.create(node.base().resolve("tls"));
      node.set("streaming.tls_cert_file", "\"" + made.folder().resolve("server.crt") + "\"")
          .set("streaming.tls_key_file", "\"" + made.folder().resolve("server.key") + "\"")
          .set("streaming.tls_client_ca_file", "\"" + made.authority() + "\"");
      return made;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @BeforeEach
  void runContainer() {
    PodSandboxConfig pod = node.pod("tls").build();
    container = cri.run(cri.runPod(pod), node.sleeper("main").build(), pod);
  }

  private static SocketFactory sockets(String client) throws Exception {
    return CERTIFICATES.client(client).getSocketFactory();
  }

  /** Red if one of the two protocols does not work over TLS as it does without. */
  @Test
  void execWorksOverBothProtocols() throws Exception {
    String url = cri.execUrl(container, false, true, "cat");
    assertThat(url).startsWith("https://127.0.0.1:");
    try (SpdyClient client = SpdyClient.connect(sockets("client"), url, V4)) {
      SpdyClient.Stream error = client.openType("error");
      SpdyClient.Stream in = client.openType("stdin");
      SpdyClient.Stream out = client.openType("stdout");
      SpdyClient.Stream err = client.openType("stderr");
      in.send("x".repeat(300_000));
      in.end();
      assertThat(error.awaitEnd()).contains("Success");
      assertThat(out.awaitEnd()).hasSize(300_000);
      assertThat(err.awaitEnd()).isEmpty();
    }
    try (WebSocketClient client =
        WebSocketClient.connect(
            sockets("client"), cri.execUrl(container, false, false, "echo", "hello"), V5)) {
      assertThat(client.receiveAll()).containsEntry(1, "hello\n");
    }
  }

  /** Red if the daemon serves a client without a certificate that it trusts. */
  @Test
  void aStrangerGetsNoStream() throws Exception {
    String url = cri.execUrl(container, false, false, "true");
    assertThatThrownBy(() -> SpdyClient.connect(sockets(""), url, V4))
        .isInstanceOf(IOException.class);
    assertThatThrownBy(() -> SpdyClient.connect(url, V4)).isInstanceOf(Exception.class);
    TestCertificates others = TestCertificates.create(node.base().resolve("others"));
    SocketFactory strangers =
        CERTIFICATES.client(others.folder().resolve("client").toString()).getSocketFactory();
    assertThatThrownBy(() -> SpdyClient.connect(strangers, url, V4))
        .isInstanceOf(IOException.class);

    try (SpdyClient client = SpdyClient.connect(sockets("client"), url, V4)) {
      SpdyClient.Stream error = client.openType("error");
      client.openType("stdout");
      client.openType("stderr");
      assertThat(error.awaitEnd()).as("their tries took no token").contains("Success");
    }
  }

  /** Red if a renewed certificate wants a restart, or ends what is under way. */
  @Test
  void aRenewedCertificateIsServedAtOnce() throws Exception {
    String url = cri.execUrl(container, false, true, "cat");
    Certificate first = shown(url);
    try (SpdyClient client = SpdyClient.connect(sockets("client"), url, V4)) {
      SpdyClient.Stream error = client.openType("error");
      SpdyClient.Stream in = client.openType("stdin");
      SpdyClient.Stream out = client.openType("stdout");
      client.openType("stderr");
      CERTIFICATES.renewServer();

      assertThat(shown(url)).isNotEqualTo(first);
      in.send("still here");
      in.end();
      assertThat(error.awaitEnd()).contains("Success");
      assertThat(out.awaitEnd()).isEqualTo("still here");
    }
  }

  private static Certificate shown(String url) throws Exception {
    URI uri = URI.create(url);
    try (SSLSocket socket =
        (SSLSocket) sockets("client").createSocket(uri.getHost(), uri.getPort())) {
      socket.startHandshake();
      return socket.getSession().getPeerCertificates()[0];
    }
  }
}
