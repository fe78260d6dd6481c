package io.keelson.csi.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.ClientAuth;
import io.grpc.stub.StreamObserver;
import io.keelson.proto.csi.v1.GetPluginInfoRequest;
import io.keelson.proto.csi.v1.GetPluginInfoResponse;
import io.keelson.proto.csi.v1.IdentityGrpc;
import io.keelson.sandbox.rpc.UnixChannels;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A driver that is reached by TCP: by TLS alone, and it may ask for the daemon's certificate. */
class ChannelsTest {

  @TempDir static Path folder;

  private static final AtomicLong puts = new AtomicLong();

  private static Server server;

  @BeforeAll
  static void startDriver() throws Exception {
    selfSigned("ca");
    Path names = Files.writeString(folder.resolve("names"), "subjectAltName=IP:127.0.0.1\n");
    sign("driver", "-extfile", names.toString());
    sign("daemon");
    selfSigned("stranger");
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .sslContext(
                GrpcSslContexts.forServer(file("driver.crt"), file("driver.key"))
                    .trustManager(file("ca.crt"))
                    .clientAuth(ClientAuth.REQUIRE)
                    .build())
            .addService(new Identity())
            .build()
            .start();
  }

  @AfterAll
  static void endDriver() throws InterruptedException {
    server.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
  }

  @Test
  void bothShowTheirCertificates() throws IOException {
    assertThat(nameBy(tls("ca.crt", "daemon"))).isEqualTo("far.csi.test");
  }

  @Test
  void aDriverOfAnUnknownAuthorityIsToldNothing() {
    assertThatThrownBy(() -> nameBy(tls("stranger.crt", "daemon")))
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessageContaining("UNAVAILABLE");
  }

  @Test
  void theDaemonsCertificateIsShownOnlyIfItHasOne() {
    assertThatThrownBy(
            () ->
                nameBy(
                    new TlsFiles(
                        Optional.of(folder.resolve("ca.crt")), Optional.empty(), Optional.empty())))
        .isInstanceOf(StatusRuntimeException.class);
    assertThatThrownBy(() -> nameBy(tls("ca.crt", "stranger")))
        .isInstanceOf(StatusRuntimeException.class);
  }

  /** The channel is the one that was opened with the files as they were. */
  @Test
  void filesThatChangeAreReadForTheNextConnection() throws Exception {
    put("stranger.crt", "stranger.crt", "stranger.key");
    Endpoint driver = Endpoint.parse("tcp://127.0.0.1:" + server.getPort());
    try (UnixChannels unix = new UnixChannels()) {
      ManagedChannel channel = new Channels(unix, tls("used-ca.crt", "used")).open(driver);
      try {
        assertThatThrownBy(() -> nameBy(channel)).hasMessageContaining("UNAVAILABLE");
        put("ca.crt", "daemon.crt", "daemon.key");
        channel.resetConnectBackoff();
        assertThat(named(IdentityGrpc.newBlockingStub(channel).withWaitForReady()))
            .isEqualTo("far.csi.test");
      } finally {
        channel.shutdownNow();
      }
    }
  }

  private static void put(String authority, String certificate, String key) throws IOException {
    for (List<String> file :
        List.of(
            List.of(authority, "used-ca.crt"),
            List.of(certificate, "used.crt"),
            List.of(key, "used.key"))) {
      Files.copy(
          folder.resolve(file.getFirst()),
          folder.resolve(file.getLast()),
          StandardCopyOption.REPLACE_EXISTING);
      // As if time had passed.
      Files.setLastModifiedTime(
          folder.resolve(file.getLast()), FileTime.fromMillis(puts.incrementAndGet()));
    }
  }

  private static TlsFiles tls(String authority, String own) {
    return new TlsFiles(
        Optional.of(folder.resolve(authority)),
        Optional.of(folder.resolve(own + ".crt")),
        Optional.of(folder.resolve(own + ".key")));
  }

  private static String nameBy(TlsFiles tls) throws IOException {
    try (UnixChannels unix = new UnixChannels()) {
      ManagedChannel channel =
          new Channels(unix, tls).open(Endpoint.parse("tcp://127.0.0.1:" + server.getPort()));
      try {
        return nameBy(channel);
      } finally {
        channel.shutdownNow();
      }
    }
  }

  private static String nameBy(ManagedChannel channel) {
    return named(IdentityGrpc.newBlockingStub(channel));
  }

  private static String named(IdentityGrpc.IdentityBlockingStub driver) {
    return driver
        .withDeadlineAfter(20, TimeUnit.SECONDS)
        .getPluginInfo(GetPluginInfoRequest.getDefaultInstance())
        .getName();
  }

  private static void selfSigned(String name) throws Exception {
    request(name);
    certify(name, "-signkey", name + ".key");
  }

  /** By the authority. */
  private static void sign(String name, String... more) throws Exception {
    request(name);
    List<String> by =
        new ArrayList<>(List.of("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"));
    by.addAll(List.of(more));
    certify(name, by.toArray(String[]::new));
  }

  private static void request(String name) throws Exception {
    openssl(
        List.of("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        List.of("-subj", "/CN=" + name, "-keyout", name + ".key", "-out", name + ".csr"));
  }

  private static void certify(String name, String... by) throws Exception {
    openssl(
        List.of("x509", "-req", "-days", "2", "-in", name + ".csr", "-out", name + ".crt"),
        List.of(by));
  }

  private static void openssl(List<String> words, List<String> more) throws Exception {
    List<String> command = new ArrayList<>(List.of("openssl"));
    command.addAll(words);
    command.addAll(more);
    File log = file("openssl.log");
    int code =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log)
            .start()
            .waitFor();
    assertThat(code).as(() -> "openssl: " + log).isZero();
  }

  private static File file(String name) {
    return folder.resolve(name).toFile();
  }

  private static final class Identity extends IdentityGrpc.IdentityImplBase {
    @Override
    public void getPluginInfo(
        GetPluginInfoRequest request, StreamObserver<GetPluginInfoResponse> answers) {
      answers.onNext(GetPluginInfoResponse.newBuilder().setName("far.csi.test").build());
      answers.onCompleted();
    }
  }
}
