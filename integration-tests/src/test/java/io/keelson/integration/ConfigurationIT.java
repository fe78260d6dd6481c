package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestDaemon;
import io.keelson.integration.harness.TestNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the program says to a configuration that it can't use. */
class ConfigurationIT {

  @RegisterExtension static final TestNode node = TestNode.bare();

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "bridge = 'keelson0'                      | bridge",
        "[network]\\nbrigde = 'keelson0'          | brigde",
        "[network]\\nmtu = 'large'                | mtu",
        "[network]\\nmtu = -4                     | mtu",
        "[network]\\nipv4_subnet = '10.0.0.0/99'  | ipv4_subnet",
        "[network]\\nbridge = 'a-very-long-name-for-a-bridge' | bridge",
        "cgroup_driver = 7                        | cgroup_driver",
        "default_runtime = 'no-such-runtime'      | no-such-runtime",
        "[log]\\nlevel = 'loud'                   | level",
        "[network\\nmtu = 4                       | bad.toml:",
      })
  void isToldWhatIsWrongAndWhere(String toml, String named) throws IOException {
    Path file = node.folder("configurations").resolve("bad.toml");
    // Folders of its own, so that a file that is taken after all hurts nobody.
    String folders = "root = \"%s\"\nstate = \"%s\"\n".formatted(node.root(), node.state());
    Files.writeString(file, folders + toml.replace("\\n", "\n").replace('\'', '"'));
    Shell.Result result = keelson("serve", "--config", file.toString());
    assertThat(result.exitCode()).isNotZero();
    assertThat(result.output()).contains(named).contains("bad.toml").doesNotContain("Exception");
  }

  @Test
  void isToldOfBytesThatAreNoText() throws IOException {
    Path file = node.folder("configurations").resolve("binary.toml");
    Files.write(file, new byte[] {0, 1, 2, (byte) 0xff, (byte) 0xfe});
    Shell.Result result = keelson("serve", "--config", file.toString());
    assertThat(result.exitCode()).isEqualTo(2);
    assertThat(result.output()).contains("binary.toml").doesNotContain("Exception");
  }

  @Test
  void aFileThatIsNamedMustBeThere() {
    Shell.Result result = keelson("serve", "--config", "/no/such/config.toml");
    assertThat(result.exitCode()).isNotZero();
    assertThat(result.output()).contains("/no/such/config.toml").doesNotContain("Exception");
  }

  @Test
  void theDefaultFileIsComplete() {
    Shell.Result result = keelson("config", "default");
    assertThat(result.exitCode()).isZero();
    assertThat(result.output())
        .contains("root = ", "[network]", "ipv6_subnet", "[runtimes.crun]", "/etc/keelson");
  }

  @Test
  void aSecondDaemonOnTheSameFoldersIsRefused() throws IOException {
    node.start();
    Shell.Result second = keelson("serve", "--config", node.configuration().toString());
    assertThat(second.exitCode()).isNotZero();
    assertThat(second.output()).doesNotContain("Exception in thread");
    assertThat(node.cri().version()).isEqualTo("keelson");
  }

  private static Shell.Result keelson(String... arguments) {
    String program = TestDaemon.installation().resolve("bin/keelson").toString();
    return Shell.run(
        Stream.concat(Stream.of("timeout", "60", program), List.of(arguments).stream()).toList());
  }
}
