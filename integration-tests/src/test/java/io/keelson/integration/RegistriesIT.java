package io.keelson.integration;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.StatusRuntimeException;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestCertificates;
import io.keelson.integration.harness.TestDaemon;
import io.keelson.integration.harness.TestImage;
import io.keelson.integration.harness.TestNode;
import io.keelson.integration.harness.TestRegistry;
import io.keelson.integration.harness.TestTokenServer;
import io.keelson.proto.cri.v1.AuthConfig;
import io.keelson.proto.cri.v1.ImageSpec;
import io.keelson.proto.cri.v1.PullImageRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The real docker-registry with all that keeps people out, and what nodes write to get in. */
class RegistriesIT {

  @RegisterExtension static final TestNode node = TestNode.create();

  private final TestImage image = TestImage.busybox("{\"User\":\"registries\"}");
  private Path folder;

  @BeforeEach
  void push() throws IOException {
    folder = Files.createTempDirectory(node.folder("registries"), "r");
    try (TestRegistry open = TestRegistry.plain(folder)) {
      open.push(image, "team/app", "1");
    }
  }

  @AfterEach
  void remove() {
    node.cri().removeImage(image.id());
  }

  private static String pull(String name, AuthConfig.Builder auth) {
    return node.cri()
        .images()
        .pullImage(
            PullImageRequest.newBuilder()
                .setImage(ImageSpec.newBuilder().setImage(name))
                .setAuth(auth)
                .build())
        .getImageRef();
  }

  private static AuthConfig.Builder login(String name, String password) {
    return AuthConfig.newBuilder().setUsername(name).setPassword(password);
  }

  private static void assertRefused(String name, AuthConfig.Builder auth) {
    assertThatThrownBy(() -> pull(name, auth))
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessageContaining("refuses");
  }

  private static void writeHosts(String registry, String text) throws IOException {
    Path file = Files.createDirectories(node.registries().resolve(registry)).resolve("hosts.toml");
    Files.writeString(file, text);
  }

  @Test
  void clientCertificatesAndAnOwnAuthority() throws Exception {
    TestCertificates certificates = TestCertificates.create(folder.resolve("certificates"));
    try (TestRegistry registry = TestRegistry.mutualTls(folder, certificates)) {
      String name = registry.host() + "/team/app:1";
      assertThatThrownBy(() -> pull(name, AuthConfig.newBuilder()))
          .hasMessageContaining("RegistryUnavailable");
      writeHosts(registry.host(), "ca = \"" + certificates.authority() + "\"");
      assertThatThrownBy(() -> pull(name, AuthConfig.newBuilder()))
          .hasMessageContaining("RegistryUnavailable");
      // Without a restart: PKCS #8, the old form of RSA keys, and certificate and key in one file.
      for (String client : certificates.clients()) {
        writeHosts(
            registry.host(),
            "ca = \"%s\"\nclient = [%s]".formatted(certificates.authority(), client));
        assertThat(pull(name, AuthConfig.newBuilder())).as(client).isEqualTo(image.id());
        node.cri().removeImage(image.id());
      }
      writeHosts(
          registry.host(),
          "skip_verify = true\nclient = [" + certificates.clients().getFirst() + "]");
      assertThat(pull(name, AuthConfig.newBuilder())).isEqualTo(image.id());
    }
  }

  @Test
  void passwordsOfHtpasswd() throws Exception {
    try (TestRegistry registry = TestRegistry.htpasswd(folder)) {
      String name = registry.host() + "/team/app:1";
      assertRefused(name, AuthConfig.newBuilder());
      assertRefused(name, login(TestRegistry.USER, "wrong"));
      assertRefused(
          name,
          login(TestRegistry.USER, TestRegistry.PASSWORD).setServerAddress("https://else.test"));
      assertThat(pull(name, login(TestRegistry.USER, TestRegistry.PASSWORD))).isEqualTo(image.id());
      String pair = TestRegistry.USER + ":" + TestRegistry.PASSWORD;
      assertThat(
              pull(
                  name,
                  AuthConfig.newBuilder()
                      .setAuth(Base64.getEncoder().encodeToString(pair.getBytes(UTF_8)))
                      .setServerAddress("http://" + registry.host() + "/v2/")))
          .isEqualTo(image.id());
      // That the image is here now opens the registry to nobody.
      assertRefused(name, AuthConfig.newBuilder());
    }
  }

  @Test
  void tokensOfATokenServer() throws Exception {
    TestCertificates certificates = TestCertificates.create(folder.resolve("certificates"));
    try (TestTokenServer tokens = TestTokenServer.start(certificates);
        TestRegistry registry = TestRegistry.tokens(folder, tokens)) {
      String name = registry.host() + "/team/app:1";
      assertRefused(name, AuthConfig.newBuilder());
      assertRefused(name, login(TestTokenServer.USER, "wrong"));
      assertThat(pull(name, login(TestTokenServer.USER, TestTokenServer.PASSWORD)))
          .isEqualTo(image.id());
      int asked = tokens.count();
      node.cri().removeImage(image.id());
      assertThat(pull(name, login(TestTokenServer.USER, TestTokenServer.PASSWORD)))
          .isEqualTo(image.id());
      assertThat(tokens.count()).as("a token that holds is used again").isEqualTo(asked);
      assertThat(
              pull(name, AuthConfig.newBuilder().setIdentityToken(TestTokenServer.REFRESH_TOKEN)))
          .isEqualTo(image.id());
      assertRefused(name, AuthConfig.newBuilder().setIdentityToken("stolen"));
      assertThat(
              pull(name, AuthConfig.newBuilder().setRegistryToken(tokens.token("team/app", true))))
          .isEqualTo(image.id());
      assertRefused(
          name, AuthConfig.newBuilder().setRegistryToken(tokens.token("team/app", false)));
    }
  }

  @Test
  void aMirrorThatFailsAndOneThatServes() throws Exception {
    TestCertificates certificates = TestCertificates.create(folder.resolve("certificates"));
    try (TestRegistry registry = TestRegistry.mutualTls(folder, certificates)) {
      writeHosts(
          "registry.invalid:5000",
          """
          server = "http://127.0.0.1:1"
          [host."http://127.0.0.1:2"]
          [host."https://%s"]
          capabilities = ["pull", "resolve"]
          ca = "%s"
          client = [%s]
          """
              .formatted(
                  registry.host(), certificates.authority(), certificates.clients().getFirst()));
      assertThat(pull("registry.invalid:5000/team/app:1", AuthConfig.newBuilder()))
          .isEqualTo(image.id());
    }
  }

  @Test
  void keelsonPullTakesTheLoginOfItsUser() throws Exception {
    try (TestRegistry registry = TestRegistry.htpasswd(folder)) {
      Path helper = folder.resolve("docker-credential-test");
      Files.writeString(
          helper,
          "#!/bin/sh\nread -r server\n[ \"$server\" = %s ] && echo '{\"Username\":\"%s\",\"Secret\":\"%s\"}'\n"
              .formatted(registry.host(), TestRegistry.USER, TestRegistry.PASSWORD));
      Files.setPosixFilePermissions(helper, PosixFilePermissions.fromString("rwxr-xr-x"));
      Path config = folder.resolve("config.json");
      Files.writeString(config, "{\"credHelpers\":{\"%s\":\"test\"}}".formatted(registry.host()));
      List<String> command =
          List.of(
              "env",
              "PATH=" + folder + ":" + System.getenv("PATH"),
              "HOME=" + folder,
              "JAVA_HOME=" + System.getProperty("java.home"),
              TestDaemon.installation().resolve("bin/keelson").toString(),
              "pull",
              "--socket",
              node.socket().toString(),
              "--authfile",
              config.toString(),
              registry.host() + "/team/app:1");
      Shell.Result result = Shell.run(command);
      assertThat(result.exitCode()).as(result.output()).isZero();
      assertThat(result.output()).contains(image.id());
    }
  }
}
