package io.keelson.cni.plugin;

import static io.keelson.cni.plugin.CniFixture.pod;
import static io.keelson.cni.plugin.CniFixture.soon;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.sandbox.error.UnavailableException;
import io.keelson.sandbox.port.PodNetwork.Condition;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which network is taken, whether it is ready, and that changes are seen. */
class NetworkMonitorTest {

  @TempDir Path folder;
  CniFixture cni;

  @BeforeEach
  void folders() throws IOException {
    cni = new CniFixture(folder);
  }

  @Test
  void nothingConfigured() throws IOException {
    try (CniNetwork network = cni.open()) {
      assertThat(network.isConfigured()).isFalse();
      assertThat(network.condition())
          .isEqualTo(
              new Condition(
                  false,
                  "NetworkPluginNotReady",
                  "Network plugin returns error: no CNI configuration in " + cni.configurations));
      assertThatThrownBy(() -> network.attach(pod("p1"))).isInstanceOf(UnavailableException.class);
    }
  }

  @Test
  void brokenFilesAloneMakeTheNodeNotReady() throws IOException {
    cni.configure("10-net.conflist", "{\"name\":");
    try (CniNetwork network = cni.open()) {
      assertThat(network.isConfigured()).isTrue();
      assertThat(network.condition().ready()).isFalse();
      assertThat(network.condition().reason()).isEqualTo("NetworkPluginNotReady");
      assertThat(network.condition().message())
          .startsWith(
              "Network plugin returns error: " + cni.configurations.resolve("10-net.conflist"))
          .contains("is no JSON");
      assertThatThrownBy(() -> network.attach(pod("p1")))
          .isInstanceOf(UnavailableException.class)
          .hasMessageContaining("10-net.conflist");
    }
  }

  @Test
  void changesAreSeen() throws IOException {
    cni.plugin("first");
    cni.plugin("second");
    try (CniNetwork network = cni.open()) {
      cni.configure("20-net.conflist", "1.0.0", "one", "first");
      soon().until(() -> network.condition().ready());
      network.attach(pod("p1"));

      cni.configure("10-net.conflist", "1.0.0", "two", "second");
      soon()
          .untilAsserted(
              () -> {
                network.attach(pod("p2"));
                network.detach(pod("p2"));
                assertThat(cni.names()).contains("second ADD");
              });
      Files.delete(cni.configurations.resolve("10-net.conflist"));
      Files.delete(cni.configurations.resolve("20-net.conflist"));
      soon().until(() -> !network.isConfigured());
      network.detach(pod("p1"));
      assertThat(cni.names()).endsWith("first DEL");
    }
  }

  @Test
  void folderMayComeAndGo() throws IOException {
    cni.plugin("first");
    Files.delete(cni.configurations);
    Path parent = folder.resolve("etc/cni");
    CniSettings given = cni.settings();
    CniSettings settings =
        new CniSettings(
            parent.resolve("net.d"),
            given.pluginFolders(),
            given.cacheFolder(),
            given.callTimeout(),
            given.probeTimeout(),
            given.statusInterval(),
            given.environment());
    try (CniNetwork network = CniNetwork.open(settings)) {
      for (int round = 0; round < 2; round++) {
        Files.createDirectories(parent.resolve("net.d"));
        Path file = parent.resolve("net.d/10-net.conf");
        cni.write(file, "{\"cniVersion\":\"0.4.0\",\"name\":\"n\",\"type\":\"first\"}");
        soon().until(() -> network.condition().ready());
        Files.delete(file);
        Files.delete(parent.resolve("net.d"));
        Files.delete(parent);
        soon().until(() -> !network.isConfigured());
      }
    }
  }

  @Test
  void pluginsOfANetworkMayComeFromItsOwnFolder() throws IOException {
    cni.plugin("first");
    cni.plugin("second");
    cni.configure("10-net.conflist", "1.0.0", "podnet", "first");
    Path siblings = Files.createDirectory(cni.configurations.resolve("podnet"));
    try (CniNetwork network = cni.open()) {
      cni.write(siblings.resolve("50-more.conf"), "{\"type\":\"second\"}");
      soon()
          .untilAsserted(
              () -> {
                network.attach(pod("p1"));
                network.detach(pod("p1"));
                assertThat(cni.names()).contains("second ADD", "second DEL");
              });
    }
  }

  @Test
  void statusIsAskedAndTold() throws IOException {
    cni.plugin(
        "first",
        "STATUS) echo '{\"code\":50,\"msg\":\"agent is down\",\"details\":\"\"}'; exit 1;;");
    cni.configure("10-net.conflist", "1.1.0", "podnet", "first");
    try (CniNetwork network = cni.open()) {
      soon()
          .untilAsserted(
              () ->
                  assertThat(network.condition().message())
                      .isEqualTo(
                          "Network plugin returns error: network podnet: CNI plugin first (STATUS,"
                              + " network podnet) failed: agent is down (code 50)"));
      assertThat(network.condition().ready()).isFalse();
      assertThat(cni.calls().getFirst().environment())
          .containsEntry("CNI_PATH", cni.binaries.toString())
          .doesNotContainKey("CNI_CONTAINERID");
    }
  }

  @Test
  void statusIsAskedAgainFromTimeToTime() throws IOException {
    Path down = Files.createFile(folder.resolve("down"));
    cni.plugin("first", "STATUS) [ ! -e " + down + " ] || exit 1;;");
    cni.configure("10-net.conflist", "1.1.0", "podnet", "first");
    CniSettings settings =
        cni.settings(Duration.ofSeconds(20), Duration.ofSeconds(5), Duration.ofMillis(100));
    try (CniNetwork network = CniNetwork.open(settings)) {
      assertThat(network.condition().ready()).isFalse();
      Files.delete(down);
      soon().until(() -> network.condition().ready());
    }
  }

  @Test
  void pluginThatKnowsNoStatusIsTakenAsReady() throws IOException {
    cni.plugin(
        "first", "STATUS) echo '{\"code\":4,\"msg\":\"unknown CNI_COMMAND: STATUS\"}'; exit 1;;");
    cni.configure("10-net.conflist", "1.1.0", "podnet", "first");
    try (CniNetwork network = cni.open()) {
      soon()
          .untilAsserted(
              () -> assertThat(network.condition()).isEqualTo(new Condition(true, "", "")));
    }
  }

  @Test
  void hangingStatusDelaysNeitherTheStartNorAPod() throws IOException {
    cni.plugin("first", CniFixture.add(CniFixture.RESULT) + "\nSTATUS) exec sleep 600;;");
    cni.configure("10-net.conflist", "1.1.0", "podnet", "first");
    long start = System.nanoTime();
    try (CniNetwork network = openWithProbes(Duration.ofSeconds(60))) {
      assertThat(network.condition().ready()).isFalse();
      assertThat(network.attach(pod("p1")).addresses()).hasSize(1);
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(30));
    }
    try (CniNetwork network = openWithProbes(Duration.ofMillis(300))) {
      soon()
          .untilAsserted(() -> assertThat(network.condition().message()).contains("no end within"));
    }
  }

  private CniNetwork openWithProbes(Duration timeout) throws IOException {
    return CniNetwork.open(cni.settings(Duration.ofSeconds(20), timeout, Duration.ofMinutes(10)));
  }

  @Test
  void newestVersionThatAllPluginsSupportIsUsed() throws IOException {
    cni.plugin(
        "first",
        CniFixture.add(CniFixture.RESULT)
            + "\n"
            + "VERSION) echo"
            + " '{\"cniVersion\":\"1.0.0\",\"supportedVersions\":[\"0.4.0\",\"1.0.0\"]}';;");
    cni.configure(
        "10-net.conflist",
        """
        {"cniVersion":"0.4.0","cniVersions":["1.0.0","1.1.0","7.0.0"],"name":"podnet",
         "plugins":[{"type":"first"}]}\
        """);
    try (CniNetwork network = cni.open()) {
      network.attach(pod("p1"));
      assertThat(cni.calls().getFirst().stdin().path("cniVersion").asText()).isEqualTo("1.0.0");
      soon().until(() -> network.condition().ready());
    }
  }

  @Test
  void versionThatAPluginDoesNotSupportIsToldBeforeAPodMeetsIt() throws IOException {
    cni.plugin("first", "VERSION) echo '{\"supportedVersions\":[\"0.3.1\"]}';;");
    cni.configure("10-net.conflist", "1.0.0", "podnet", "first");
    try (CniNetwork network = cni.open()) {
      soon()
          .untilAsserted(
              () ->
                  assertThat(network.condition().message())
                      .endsWith(
                          "network podnet: its plugins have only the CNI versions [0.3.1] in"
                              + " common, the configuration wants [1.0.0]"));
    }
  }
}
