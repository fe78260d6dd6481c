package io.keelson.runtime.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.image.ImageSettings;
import io.keelson.image.registry.RegistrySettings;
import io.keelson.image.rootfs.RootBackend;
import io.keelson.runtime.config.ConfigurationLoader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** That what a key says comes to the part that it is for, under the right name. */
class PartSettingsTest {

  private static final Path FILE = Path.of("/etc/keelson/config.toml");

  private static ImageSettings images(String text) throws Exception {
    return PartSettings.images(ConfigurationLoader.parse(FILE, text));
  }

  @Test
  void eachKeyOfImagesReachesThem() throws Exception {
    ImageSettings settings =
        images(
            """
            root = "/somewhere"
            [images]
            insecure_registries = ["plain.test:5000"]
            ca_file = "/ca.pem"
            hosts_dirs = ["/hosts", "/more"]
            auth_files = ["/one.json", "/two.json"]
            progress_timeout = "7s"
            connections_per_layer = 3
            pinned = ["example.org/*"]
            parallel_layers = 5
            max_manifest_size = "1MiB"
            max_layer_size = "2GiB"
            max_layer_entries = 1234
            max_layer_ratio = 56
            backend = "copy"
            keep_blobs = true
            signature_policy = "/policy.json"
            """);

    assertThat(settings.root()).isEqualTo(Path.of("/somewhere"));
    RegistrySettings registries = settings.registries();
    assertThat(registries.insecureRegistries()).containsExactly("plain.test:5000");
    assertThat(registries.caFile()).contains(Path.of("/ca.pem"));
    assertThat(registries.hostsFolders()).containsExactly(Path.of("/hosts"), Path.of("/more"));
    assertThat(registries.authFiles()).containsExactly(Path.of("/one.json"), Path.of("/two.json"));
    assertThat(registries.environment()).as("for proxies").isEqualTo(System.getenv());
    assertThat(registries.stallTimeout()).isEqualTo(Duration.ofSeconds(7));
    assertThat(registries.connectionsPerLayer()).isEqualTo(3);
    assertThat(settings.pinned()).containsExactly("example.org/*");
    assertThat(settings.parallelLayers()).isEqualTo(5);
    assertThat(settings.maxManifest()).isEqualTo(1 << 20);
    assertThat(settings.limits().maxBytes()).isEqualTo(2L << 30);
    assertThat(settings.limits().maxEntries()).isEqualTo(1234);
    assertThat(settings.limits().maxRatio()).isEqualTo(56);
    assertThat(settings.backend()).isEqualTo(RootBackend.COPY);
    assertThat(settings.keepBlobs()).isTrue();
    assertThat(settings.signaturePolicy()).contains(Path.of("/policy.json"));
  }

  @Test
  void aNodeThatConfiguresNothingHasTheDefaults() throws Exception {
    ImageSettings settings = images("root = \"/somewhere\"\n");
    ImageSettings defaults = ImageSettings.defaults(Path.of("/somewhere"));
    assertThat(settings.limits()).isEqualTo(defaults.limits());
    assertThat(settings.maxManifest()).isEqualTo(defaults.maxManifest());
    assertThat(settings.parallelLayers()).isEqualTo(defaults.parallelLayers());
    assertThat(settings.signaturePolicy()).isEqualTo(Optional.empty());
    assertThat(settings.registries().stallTimeout())
        .isEqualTo(defaults.registries().stallTimeout());
    assertThat(settings.registries().connectionsPerLayer())
        .isEqualTo(defaults.registries().connectionsPerLayer());
  }
}
