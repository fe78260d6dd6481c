package io.keelson.runtime.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.keelson.linux.netlink.IpPrefix;
import io.keelson.sandbox.spec.SpecRlimit;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigurationTest {

  private static final Path FILE = Path.of("/etc/keelson/config.toml");

  @Test
  void theDefaultTextSaysNothingButTheDefaults() throws Exception {
    assertThat(ConfigurationLoader.parse(FILE, DefaultConfiguration.toml()))
        .isEqualTo(ConfigurationLoader.defaults());
  }

  @Test
  void everyKeyOfTheDefaultTextHasItsDefaultAndIsKnown() throws Exception {
    // A key that is uncommented as it stands must be accepted and change nothing; the file then
    // names
    // the built-in runtimes, which makes them required and is the one difference.
    String uncommented = DefaultConfiguration.toml().replaceAll("(?m)^#([a-z0-9_]+ = )", "$1");

    Configuration configuration = ConfigurationLoader.parse(FILE, uncommented);

    Configuration defaults = ConfigurationLoader.defaults();
    assertThat(configuration)
        .usingRecursiveComparison()
        .ignoringFields("runtimes")
        .isEqualTo(defaults);
    assertThat(runtime(configuration, "runc").root()).isEqualTo(runtime(defaults, "runc").root());
    assertThat(Keys.FIXED)
        .allSatisfy(key -> assertThat(uncommented).contains("\n" + key.simpleName() + " = "));
    assertThat(uncommented).contains("[runtimes.crun]\n", "[runtimes.runc]\n");
  }

  @Test
  void valuesOfEveryTypeAreRead() throws Exception {
    Configuration configuration =
        ConfigurationLoader.parse(
            FILE,
            """
            state = "/run/other"
            socket_group = 44
            default_runtime = "kata"
            cgroup_driver = "systemd"

            [log]
            level = "debug"
            format = "json"

            [runtimes.kata]
            path = "/opt/kata/runtime"
            type = "runc"
            annotations = ["a.b/c=d=e", "f="]
            snapshot_backend = "copy"
            cni_conf_dir = "/etc/cni/kata.d"

            [network]
            cni_bin_dirs = ["/a", "/b"]
            cni_timeout = "2m"
            ipv6_subnet = ""
            ipv4_subnet = "192.168.8.0/21"
            masquerade = false

            [images]
            insecure_registries = ["registry.local:5000", "[fd00::1]:5000"]
            max_layer_size = "3GiB"

            [containers]
            rlimits = ["nofile=1024:524288", "core=unlimited", "memlock=5:unlimited"]
            """);

    assertThat(configuration.socket()).isEqualTo(Path.of("/run/other/keelson.sock"));
    assertThat(configuration.socketGroup()).isEqualTo("44");
    assertThat(configuration.cgroupDriver()).isEqualTo(CgroupDriverChoice.SYSTEMD);
    assertThat(configuration.log())
        .isEqualTo(new Configuration.Log(LogLevel.DEBUG, LogFormat.JSON));
    assertThat(configuration.runtimes())
        .containsOnlyKeys("crun", "runc", "kata")
        .containsEntry(
            "kata",
            new Configuration.OciRuntime(
                "kata",
                "/opt/kata/runtime",
                Path.of("/run/other/runtimes/kata"),
                RuntimeTypeChoice.RUNC,
                Map.of("a.b/c", "d=e", "f", ""),
                SnapshotBackend.COPY,
                Optional.of(Path.of("/etc/cni/kata.d")),
                true));
    assertThat(runtime(configuration, "crun").required()).isFalse();
    assertThat(configuration.network().cniBinDirs()).containsExactly(Path.of("/a"), Path.of("/b"));
    assertThat(configuration.network().cniTimeout()).isEqualTo(Duration.ofMinutes(2));
    assertThat(configuration.network().ipv4Subnet()).contains(IpPrefix.parse("192.168.8.0/21"));
    assertThat(configuration.network().ipv6Subnet()).isEmpty();
    assertThat(configuration.network().masquerade()).isFalse();
    assertThat(configuration.images().insecureRegistries())
        .containsExactlyInAnyOrder("registry.local:5000", "[fd00::1]:5000");
    assertThat(configuration.images().maxLayerSize()).isEqualTo(3L << 30);
    assertThat(configuration.containers().rlimits())
        .containsExactly(
            new SpecRlimit("RLIMIT_NOFILE", 1024, 524_288),
            new SpecRlimit("RLIMIT_CORE", -1, -1),
            new SpecRlimit("RLIMIT_MEMLOCK", 5, -1));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "root = 3 | root must be an absolute path, not 3",
        "root = \"var/lib\" | root must be an absolute path, not \"var/lib\"",
        "sokcet = \"/a\" | unknown key sokcet; did you mean socket?",
        "frobnicate = 1 | unknown key frobnicate; \"keelson config default\" lists all keys",
        "level = \"info\" | unknown key level; did you mean log.level?",
        "[netwrok] | unknown key netwrok; did you mean network?",
        "[runtimes.kata];binary = \"x\" | unknown key runtimes.kata.binary; \"keelson config"
            + " default\" lists all keys",
        "[runtimes.Kata];path = \"x\" | the name of a table in [runtimes] must be the name of a"
            + " runtime: small letters, digits and hyphens, not \"Kata\"",
        "network = 3 | network is a table: write [network] on a line above its keys",
        "[root] | root must be an absolute path, not a table",
        "[log];level = \"loud\" | log.level must be one of error, warn, info, debug, trace, not"
            + " \"loud\"",
        "[network];mtu = 70000 | network.mtu must be a whole number from 0 to 65535, not 70000",
        "[network];mtu = \"9000\" | network.mtu must be a whole number from 0 to 65535, not"
            + " \"9000\"",
        "[network];mtu = 900 | network.mtu must be 0 or at least 1280, not 900",
        "[network];masquerade = \"yes\" | network.masquerade must be true or false, not \"yes\"",
        "[network];ipv4_subnet = \"10.1.0.0\" | network.ipv4_subnet must be an IPv4 subnet such as"
            + " 10.1.0.0/16, or \"\" for none, not \"10.1.0.0\"",
        "[network];ipv4_subnet = \"10.1.0.0/33\" | network.ipv4_subnet must be an IPv4 subnet such"
            + " as 10.1.0.0/16, or \"\" for none, not \"10.1.0.0/33\"",
        "[network];ipv4_subnet = \"example.org/8\" | network.ipv4_subnet must be an IPv4 subnet"
            + " such as 10.1.0.0/16, or \"\" for none, not \"example.org/8\"",
        "[network];ipv4_subnet = \"10.1.2.3/16\" | network.ipv4_subnet must name the subnet itself,"
            + " \"10.1.0.0/16\", not the host \"10.1.2.3/16\"",
        "[network];ipv4_subnet = \"10.1.0.0/31\" | network.ipv4_subnet has no room for a gateway"
            + " and a pod: \"10.1.0.0/31\"",
        "[network];ipv6_subnet = \"10.1.0.0/16\" | network.ipv6_subnet must be an IPv6 subnet such"
            + " as fd00:1::/64, or \"\" for none, not \"10.1.0.0/16\"",
        "[network];cni_timeout = 10 | network.cni_timeout must be a duration such as \"500ms\","
            + " \"10s\", \"2m\" or \"1h\", not 10",
        "[network];cni_timeout = \"1ms\" | network.cni_timeout must be a duration from 1s to 1h,"
            + " not \"1ms\"",
        "[network];cni_bin_dirs = \"/a\" | network.cni_bin_dirs must be a list of absolute paths,"
            + " not \"/a\"",
        "[network];cni_bin_dirs = [\"/a\", \"b\"] | network.cni_bin_dirs must be an absolute path,"
            + " not \"b\" (item 2 of the list)",
        "[network];cni_bin_dirs = [\"/a\", \"/a\"] | network.cni_bin_dirs names \"/a\" twice",
        "[images];max_layer_size = \"3 GB\" | images.max_layer_size must be a size in bytes or such"
            + " as \"512KiB\", \"16MiB\" or \"2GiB\", not \"3 GB\"",
        "[grpc];max_message_size = \"9999999TiB\" | grpc.max_message_size must be a size below 8"
            + " EiB, not \"9999999TiB\"",
        "default_runtime = \"kata\" | default_runtime names \"kata\", but there is no table"
            + " [runtimes.kata]; there are crun, runc",
        "state = \"/var/lib/keelson/\" | state must be another folder than root, /var/lib/keelson",
      })
  void aWrongLineIsRefusedWithFileLineAndKey(String lines, String message) {
    String text = "# a comment\n" + lines.replace(';', '\n') + "\n";
    int line =
        lines.startsWith("[") && lines.contains(";") && !lines.startsWith("[runtimes.Kata") ? 3 : 2;

    assertThat(problems(text)).containsExactly(FILE + ":" + line + ": " + message);
  }

  @Test
  void allProblemsAreToldInTheOrderOfTheLines() {
    assertThat(problems("socket = \"x\"\n\n[log]\nfoo = 1\nlevel = 1\n"))
        .hasSize(3)
        .satisfiesExactly(
            p -> assertThat(p).startsWith(FILE + ":1: socket must"),
            p -> assertThat(p).startsWith(FILE + ":4: unknown key log.foo"),
            p -> assertThat(p).startsWith(FILE + ":5: log.level must"));
  }

  @Test
  void whatIsNoTomlIsRefusedWithItsLine() {
    assertThat(problems("root = \"/a\"\nstate = = 3\n"))
        .isNotEmpty()
        .allSatisfy(
            p -> assertThat(p).startsWith(FILE + ":2: line 2 is not TOML: ").doesNotContain("\n"));
    assertThat(problems("root = \"/a\"\nroot = \"/b\"\n"))
        .singleElement()
        .asString()
        .startsWith(FILE + ":2: line 2 is not TOML: ");
  }

  @Test
  void aSocketPathThatTheKernelCannotTakeIsRefused() {
    assertThat(problems("socket = \"/" + "s".repeat(110) + "\"\n"))
        .singleElement()
        .asString()
        .contains("socket must be at most 103 bytes long");
  }

  @Test
  void flagsWinOverTheFileAndWhatFollowsFromThemFollows(@TempDir Path folder) throws Exception {
    Path file =
        Files.writeString(folder.resolve("config.toml"), "state = \"/run/a\"\nroot = \"/srv/a\"\n");

    Configuration configuration =
        ConfigurationLoader.load(
            new ConfigurationLoader.Overrides(
                Optional.of(file),
                Optional.empty(),
                Optional.of(Path.of("/run/b")),
                Optional.empty()));

    assertThat(configuration.root()).isEqualTo(Path.of("/srv/a"));
    assertThat(configuration.socket()).isEqualTo(Path.of("/run/b/keelson.sock"));
    assertThat(runtime(configuration, "crun").root()).isEqualTo(Path.of("/run/b/runtimes/crun"));
  }

  @Test
  void aNamedFileThatIsNotThereIsRefused(@TempDir Path folder) {
    var overrides =
        new ConfigurationLoader.Overrides(
            Optional.of(folder.resolve("none.toml")),
            Optional.empty(),
            Optional.empty(),
            Optional.empty());

    ConfigurationException e =
        catchThrowableOfType(
            ConfigurationException.class, () -> ConfigurationLoader.load(overrides));

    assertThat(e.problems())
        .singleElement()
        .asString()
        .startsWith(folder.resolve("none.toml") + ": there is no such configuration file");
  }

  @Test
  void withoutAFileTheDefaultsHold() {
    Configuration defaults = ConfigurationLoader.defaults();

    assertThat(defaults.root()).isEqualTo(Path.of("/var/lib/keelson"));
    assertThat(defaults.socket()).isEqualTo(Path.of("/run/keelson/keelson.sock"));
    assertThat(defaults.runtimes()).isEqualTo(Map.copyOf(defaults.runtimes())).containsKey("crun");
    assertThat(defaults.grpc().maxMessageSize()).isEqualTo(16 << 20);
  }

  private static Configuration.OciRuntime runtime(Configuration configuration, String name) {
    return Objects.requireNonNull(configuration.runtimes().get(name));
  }

  private static List<String> problems(String text) {
    return catchThrowableOfType(
            ConfigurationException.class, () -> ConfigurationLoader.parse(FILE, text))
        .problems();
  }
}
