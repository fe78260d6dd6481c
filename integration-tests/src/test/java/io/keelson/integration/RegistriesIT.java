package io.keelson.integration;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.StatusRuntimeException;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.LoginProxy;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestCertificates;
import io.keelson.integration.harness.TestDaemon;
import io.keelson.integration.harness.TestImage;
import io.keelson.integration.harness.TestNode;
import io.keelson.integration.harness.TestRegistry;
import io.keelson.integration.harness.TestTokenServer;
import io.keelson.proto.cri.v1.AuthConfig;
import io.keelson.proto.cri.v1.Image;
import io.keelson.proto.cri.v1.ImageFilter;
import io.keelson.proto.cri.v1.ImageSpec;
import io.keelson.proto.cri.v1.ListImagesRequest;
import io.keelson.proto.cri.v1.PullImageRequest;
import io.keelson.proto.node.v1.ImageProgress;
import io.keelson.proto.node.v1.ImageProgress.Phase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The real docker-registry with all that keeps people out, and what nodes write to get in. */
class RegistriesIT {

  /** Registries of the loopback are reached without it. */
  private static final LoginProxy proxy = LoginProxy.start();

  @RegisterExtension static final TestNode node = withLogins(TestNode.create());

  private final TestImage image = TestImage.busybox("{\"User\":\"registries\"}");
  private Path folder;

  /** The files are not there until a test writes them. */
  private static TestNode withLogins(TestNode node) {
    Path folder = node.folder("logins");
    return node.set(
            "images.auth_files",
            "[\"%s\", \"%s\"]"
                .formatted(folder.resolve("auth.json"), folder.resolve("config.json")))
        .withEnvironment("PATH", folder + ":" + System.getenv("PATH"))
        .withEnvironment("HTTPS_PROXY", proxy.url());
  }

  @AfterAll
  static void endProxy() throws IOException {
    proxy.close();
  }

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
  void aRegistryBehindAProxyThatWantsAPassword() throws Exception {
    TestCertificates certificates = TestCertificates.create(folder.resolve("certificates"));
    try (TestRegistry registry = TestRegistry.mutualTls(folder, certificates)) {
      proxy.leadTo(registry.host());
      writeHosts(
          "registry.test",
          "ca = \"%s\"\nclient = [%s]"
              .formatted(certificates.authority(), certificates.clients().getFirst()));
      assertThat(pull("registry.test/team/app:1", AuthConfig.newBuilder())).isEqualTo(image.id());
      assertThat(proxy.tunnels()).isNotEmpty().containsOnly("registry.test:443");
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

  /** A credential helper that knows one registry. */
  private static void writeHelper(Path helper, TestRegistry registry) throws IOException {
    Files.writeString(
        helper,
        "#!/bin/sh\nread -r server\n[ \"$1 $server\" = 'get %s' ] && echo '{\"Username\":\"%s\",\"Secret\":\"%s\"}'\n"
            .formatted(registry.host(), TestRegistry.USER, TestRegistry.PASSWORD));
    Files.setPosixFilePermissions(helper, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  @Test
  void theNodeHelpsOutWithTheLoginsThatItKeeps() throws Exception {
    Path logins = node.folder("logins");
    try (TestRegistry registry = TestRegistry.htpasswd(folder)) {
      String name = registry.host() + "/team/app:1";
      String pair = TestRegistry.USER + ":" + TestRegistry.PASSWORD;
      writeHelper(logins.resolve("docker-credential-node"), registry);
      // As podman writes it, for a part of a registry; and as docker does, in its three ways.
      Map<String, String> files =
          Map.of(
              "{\"auths\":{\"%s/team\":{\"auth\":\"%s\"}}}"
                  .formatted(
                      registry.host(), Base64.getEncoder().encodeToString(pair.getBytes(UTF_8))),
              "auth.json",
              "{\"auths\":{\"http://%s/v2/\":{\"username\":\"%s\",\"password\":\"%s\"}}}"
                  .formatted(registry.host(), TestRegistry.USER, TestRegistry.PASSWORD),
              "config.json",
              "{\"auths\":{\"%s\":{}},\"credsStore\":\"node\"}".formatted(registry.host()),
              "config.json",
              "{\"credHelpers\":{\"%s\":\"node\"}}".formatted(registry.host()),
              "config.json");
      for (Map.Entry<String, String> file : files.entrySet()) {
        Path written = Files.writeString(logins.resolve(file.getValue()), file.getKey());
        assertThat(pull(name, AuthConfig.newBuilder())).as(file.getKey()).isEqualTo(image.id());
        // Who brings credentials is judged by these alone.
        assertRefused(name, login(TestRegistry.USER, "wrong"));
        Files.delete(written);
        assertRefused(name, AuthConfig.newBuilder());
      }
    }
  }

  @Test
  void anImageOfTwoRegistriesIsFoundAndGoesByEachName() throws Exception {
    try (TestRegistry one = TestRegistry.plain(folder);
        TestRegistry two = TestRegistry.plain(folder)) {
      Cri cri = node.cri();
      List<String> tags = Stream.of(one, two).map(each -> each.host() + "/team/app:1").toList();
      List<String> digests =
          Stream.of(one, two)
              .map(each -> each.host() + "/team/app@" + image.manifest().digest())
              .toList();
      for (String removed : List.of(digests.getLast(), digests.getFirst(), tags.getLast())) {
        tags.forEach(tag -> assertThat(cri.pull(tag)).isEqualTo(image.id()));
        assertThat(filtered("")).hasSize(cri.listImages().size());
        for (String name :
            List.of(
                tags.getFirst(),
                tags.getLast(),
                digests.getFirst(),
                digests.getLast(),
                image.id())) {
          assertThat(filtered(name))
              .as(name)
              .singleElement()
              .satisfies(
                  found -> {
                    assertThat(found.getId()).isEqualTo(image.id());
                    assertThat(found.getRepoTagsList()).containsExactlyInAnyOrderElementsOf(tags);
                    assertThat(found.getRepoDigestsList())
                        .containsExactlyInAnyOrderElementsOf(digests);
                  });
        }
        cri.removeImage(removed);
        assertThat(filtered(image.id())).isEmpty();
        Stream.concat(tags.stream(), digests.stream())
            .forEach(name -> assertThat(filtered(name)).as(name).isEmpty());
      }
      assertThat(filtered("no.such.test/image:1")).isEmpty();
      assertThat(filtered("no.such.test/image@" + image.manifest().digest())).isEmpty();
    }
  }

  private static List<Image> filtered(String name) {
    return node.cri()
        .images()
        .listImages(
            ListImagesRequest.newBuilder()
                .setFilter(ImageFilter.newBuilder().setImage(ImageSpec.newBuilder().setImage(name)))
                .build())
        .getImagesList();
  }

  @Test
  void aPullTellsHowItGoesOn() throws Exception {
    try (TestRegistry registry = TestRegistry.plain(folder)) {
      TestImage.Blob layer = image.layerBlobs().getFirst();
      List<ImageProgress> told = pullAndHear(registry.host() + "/team/app:1");
      assertThat(told.getFirst().getPhase()).isEqualTo(Phase.PHASE_RESOLVING);
      assertThat(told.getFirst().getTotalBytes()).isEqualTo(layer.content().length);
      List<ImageProgress> ofLayer = told.subList(1, told.size() - 1);
      assertThat(ofLayer).allMatch(each -> each.getDigest().equals(layer.digest()));
      assertThat(ofLayer.getLast().getPhase()).isEqualTo(Phase.PHASE_DONE);
      assertThat(ofLayer.subList(0, ofLayer.size() - 1))
          .isNotEmpty()
          .allMatch(each -> each.getTotalBytes() == layer.content().length)
          .isSortedAccordingTo(Comparator.comparingLong(ImageProgress::getDoneBytes));
      assertThat(told.getLast().getImageIdsList()).containsExactly(image.id());

      assertThat(pullAndHear(registry.host() + "/team/app:1"))
          .filteredOn(each -> each.getDigest().equals(layer.digest()))
          .extracting(ImageProgress::getPhase)
          .containsExactly(Phase.PHASE_EXISTS);
    }
  }

  private static List<ImageProgress> pullAndHear(String name) {
    List<ImageProgress> told = new ArrayList<>();
    node.cri()
        .node()
        .pullImage(
            io.keelson.proto.node.v1.PullImageRequest.newBuilder()
                .setImage(ImageSpec.newBuilder().setImage(name))
                .build())
        .forEachRemaining(told::add);
    return told;
  }

  @Test
  void keelsonPullTakesTheLoginOfItsUser() throws Exception {
    try (TestRegistry registry = TestRegistry.htpasswd(folder)) {
      writeHelper(folder.resolve("docker-credential-test"), registry);
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
      // No terminal: a line for each layer, and the id.
      String layer = image.layerBlobs().getFirst().digest().substring(7, 20);
      for (String state : List.of("done, [0-9.]+ ?.iB", "was here")) {
        Shell.Result result = Shell.run(command);
        assertThat(result.exitCode()).as(result.output()).isZero();
        assertThat(result.output()).matches(layer + ": " + state + "\n" + image.id() + "\n");
      }
    }
  }
}
