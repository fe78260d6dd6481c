package io.keelson.image.registry.hosts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.sandbox.tls.KeyFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What node owners write of registries, in containerd's layout and in docker's. */
class HostsFoldersTest {

  @TempDir Path root;

  private List<HostSettings> write(String folder, String text) throws IOException {
    Path file = Files.createDirectories(root.resolve(folder)).resolve("hosts.toml");
    Files.writeString(file, text);
    return new HostsFolders(List.of(root)).of(folder);
  }

  @Test
  void everythingThatAFileSaysIsRead() throws Exception {
    List<HostSettings> hosts =
        write(
            "example.org:5000",
            """
            server = "https://origin.example.org"
            ca = "own.pem"

            [host."https://z.example.org/mirror"]
              capabilities = ["pull", "resolve"]
              ca = ["a.pem", "/abs/b.pem"]
              client = [["c.pem", "c.key"], ["both.pem", ""], ["one.pem"]]
              skip_verify = true
              override_path = true
              dial_timeout = "3s"
              [host."https://z.example.org/mirror".header]
                x-one = "1"
                x-many = ["2", "3"]

            [host."http://a.example.org:5000"]
              capabilities = ["pull"]
              client = "both.pem"
            """);
    Path folder = root.resolve("example.org:5000");
    assertThat(hosts)
        .containsExactly(
            new HostSettings(
                "https://z.example.org/mirror",
                Set.of(Capability.PULL, Capability.RESOLVE),
                Map.of("x-one", "1", "x-many", "2, 3"),
                new TlsFiles(
                    List.of(folder.resolve("a.pem"), Path.of("/abs/b.pem")),
                    List.of(
                        key(folder, "c.pem", "c.key"),
                        key(folder, "both.pem", "both.pem"),
                        key(folder, "one.pem", "one.pem")),
                    true),
                true,
                Optional.of(Duration.ofSeconds(3))),
            new HostSettings(
                "http://a.example.org:5000",
                Set.of(Capability.PULL),
                Map.of(),
                new TlsFiles(List.of(), List.of(key(folder, "both.pem", "both.pem")), false),
                false,
                Optional.empty()),
            new HostSettings(
                "https://origin.example.org",
                Set.of(Capability.values()),
                Map.of(),
                new TlsFiles(List.of(folder.resolve("own.pem")), List.of(), false),
                false,
                Optional.empty()));
  }

  private static KeyFiles key(Path folder, String certificate, String key) {
    return new KeyFiles(folder.resolve(certificate), folder.resolve(key));
  }

  @Test
  void mirrorsAloneLeaveTheRegistryItself() throws Exception {
    assertThat(write("docker.io", "[host.\"https://mirror\"]"))
        .extracting(HostSettings::address)
        .containsExactly("https://mirror", "");
  }

  @Test
  void theFolderOfTheRegistryComesBeforeTheDefault() throws Exception {
    assertThat(new HostsFolders(List.of(root)).of("example.org"))
        .containsExactly(HostSettings.own(TlsFiles.SYSTEM));
    write("_default", "server = \"https://default\"");
    write("example.org", "server = \"https://named\"");
    write("example.org_5000_", "server = \"https://port\"");
    HostsFolders folders = new HostsFolders(List.of(root.resolve("nothing"), root));
    assertThat(folders.of("example.org").getFirst().address()).isEqualTo("https://named");
    assertThat(folders.of("example.org:5000").getFirst().address()).isEqualTo("https://port");
    assertThat(folders.of("example.org:5001").getFirst().address()).isEqualTo("https://default");
    assertThat(folders.of("[fd00::1]").getFirst().address()).isEqualTo("https://default");
  }

  @Test
  void dockersCertificatesAreFound() throws Exception {
    Path folder = Files.createDirectories(root.resolve("example.org"));
    for (String name : List.of("ca.crt", "client.cert", "client.key", "README")) {
      Files.writeString(folder.resolve(name), "");
    }
    assertThat(new HostsFolders(List.of(root)).of("example.org"))
        .containsExactly(
            HostSettings.own(
                new TlsFiles(
                    List.of(folder.resolve("ca.crt")),
                    List.of(key(folder, "client.cert", "client.key")),
                    false)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "server = | line 1",
        "server = 3 | server must be a text",
        "[host]\\na = 1 | a must be a table",
        "capabilities = ['push', 'fly'] | not \"fly\"",
        "skip_verify = 'yes' | skip_verify must be true or false",
        "client = [['a', 'b', 'c']] | client must be",
        "dial_timeout = 'soon' | dial_timeout must be a duration",
        "ca = [1] | ca must be a list of texts",
        "[header]\\n'a b' = 'c' | header.a b must be a header",
      })
  void mistakesAreNamedWithTheirFile(String text, String words) {
    assertThatThrownBy(() -> write("example.org", text.replace("\\n", "\n")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("example.org/hosts.toml")
        .hasMessageContaining(words);
  }
}
