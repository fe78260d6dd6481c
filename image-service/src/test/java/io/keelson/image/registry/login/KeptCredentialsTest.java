package io.keelson.image.registry.login;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.image.request.RegistryCredentials;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files of docker and podman, and real helper programs. */
class KeptCredentialsTest {

  @TempDir Path root;

  private KeptCredentials kept(String json) throws IOException {
    return kept(json, Duration.ofSeconds(20));
  }

  private KeptCredentials kept(String json, Duration deadline) throws IOException {
    Path file = root.resolve("config.json");
    Files.writeString(file, json);
    return new KeptCredentials(
        List.of(root.resolve("missing.json"), file),
        Map.of("PATH", root + ":/usr/bin:/bin"),
        deadline);
  }

  private void helper(String name, String script) throws IOException {
    Path file = root.resolve("docker-credential-" + name);
    Files.writeString(file, "#!/bin/sh\n" + script);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void entriesAreFoundUnderAllNamesOfARegistry() throws Exception {
    KeptCredentials kept =
        kept(
            """
            {"auths": {
              "https://index.docker.io/v1/": {"auth": "%s"},
              "https://registry.example.org:5000/v2/": {"username": "u", "password": "p"},
              "token.example.org": {"auth": "%s", "identitytoken": "refresh"},
              "empty.example.org": {}
            }}\
            """
                .formatted(base64("hub:pass:word"), base64("me:")));
    assertThat(kept.find("docker.io", "library/app"))
        .contains(RegistryCredentials.of("hub", "pass:word"));
    assertThat(kept.find("registry.example.org:5000", "a/b"))
        .contains(RegistryCredentials.of("u", "p"));
    assertThat(kept.find("registry.example.org", "a")).isEmpty();
    assertThat(kept.find("token.example.org", "a"))
        .contains(new RegistryCredentials("me", "", "", "", "refresh", ""));
    assertThat(kept.find("empty.example.org", "a")).isEmpty();
  }

  @Test
  void theNearestEntryDecides() throws Exception {
    KeptCredentials kept =
        kept(
            """
            {"auths": {
              "example.org": {"auth": "%s"},
              "example.org/team": {"auth": "%s"},
              "example.org/team/app": {"auth": "%s"}
            }}\
            """
                .formatted(base64("all:x"), base64("team:x"), base64("app:x")));
    assertThat(kept.find("example.org", "team/app").orElseThrow().username()).isEqualTo("app");
    assertThat(kept.find("example.org", "team/app2").orElseThrow().username()).isEqualTo("team");
    assertThat(kept.find("example.org", "teams").orElseThrow().username()).isEqualTo("all");
  }

  @Test
  void helpersAreAskedAsDockerAsksThem() throws Exception {
    helper(
        "one",
        """
        read -r server
        echo '{"ServerURL":"'"$server"'","Username":"'"$1"' '"$server"'","Secret":"s"}'
        """);
    helper("token", "echo '{\"Username\":\"<token>\",\"Secret\":\"refresh\"}'");
    helper("none", "echo 'credentials not found in native keychain'; exit 1");
    KeptCredentials kept =
        kept(
            """
            {"auths": {"other.example.org": {"auth": "%s"}},
             "credHelpers": {"example.org": "token", "none.example.org": "none"},
             "credsStore": "one"}\
            """
                .formatted(base64("file:x")));
    assertThat(kept.find("example.org", "a"))
        .contains(new RegistryCredentials("", "", "", "", "refresh", ""));
    assertThat(kept.find("docker.io", "library/a"))
        .contains(RegistryCredentials.of("get https://index.docker.io/v1/", "s"));
    assertThat(kept.find("other.example.org", "a")).contains(RegistryCredentials.of("file", "x"));
    assertThat(kept("{\"credsStore\": \"none\"}").find("example.org", "a"))
        .isEqualTo(Optional.empty());
  }

  @Test
  void aHelperThatHangsIsKilled() throws Exception {
    helper("slow", "sleep 60");
    long start = System.nanoTime();
    assertThatThrownBy(
            () ->
                kept("{\"credsStore\": \"slow\"}", Duration.ofMillis(200)).find("example.org", "a"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("docker-credential-slow");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
  }

  @Test
  void whatIsWrongIsSaidWithoutSecrets() throws Exception {
    helper("broken", "echo 'the vault is sealed'; exit 3");
    assertThatThrownBy(() -> kept("{\"credsStore\": \"broken\"}").find("example.org", "a"))
        .hasMessageContaining("ended with 3")
        .hasMessageContaining("the vault is sealed");
    assertThatThrownBy(() -> kept("{\"credsStore\": \"absent\"}").find("example.org", "a"))
        .hasMessageContaining("docker-credential-absent is not in PATH");
    assertThatThrownBy(() -> kept("{\"credsStore\": \"../x\"}").find("example.org", "a"))
        .hasMessageContaining("no name of a credential helper");
    assertThatThrownBy(() -> kept("{\"auths\": {\"a\": {\"auth\": \"secret").find("a.b", "a"))
        .hasMessageContaining("config.json is no JSON")
        .hasMessageNotContaining("secret")
        .hasNoCause();
    assertThatThrownBy(() -> kept("{\"auths\": {\"a\": {\"auth\": \"$ecret\"}}}").find("a.b", "a"))
        .hasMessageContaining("config.json")
        .hasMessageNotContaining("$ecret");
  }

  @Test
  void theFilesOfAPerson() {
    assertThat(KeptCredentials.filesOf(Map.of("REGISTRY_AUTH_FILE", "/a", "HOME", "/h")))
        .containsExactly(Path.of("/a"));
    assertThat(KeptCredentials.filesOf(Map.of("XDG_RUNTIME_DIR", "/run/user/1", "HOME", "/h")))
        .containsExactly(
            Path.of("/run/user/1/containers/auth.json"),
            Path.of("/h/.config/containers/auth.json"),
            Path.of("/h/.docker/config.json"));
    assertThat(KeptCredentials.filesOf(Map.of())).isEmpty();
  }
}
