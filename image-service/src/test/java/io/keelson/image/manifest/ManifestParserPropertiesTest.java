package io.keelson.image.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.image.fixture.Fuzz;
import io.keelson.image.reference.Digest;
import io.keelson.sandbox.error.KeelsonException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Provide;

/**
 * Whatever a registry serves as manifest, index or config: it is read, or refused by one of the
 * exceptions that callers know.
 */
class ManifestParserPropertiesTest {

  private static final String DIGEST = "sha256:" + "0123456789abcdef".repeat(4);

  private final ManifestParser parser = new ManifestParser();

  @Fuzz(tries = 3000)
  void anyBytesAreReadOrRefused(@ForAll byte[] content) {
    assertReadOrRefused(content);
  }

  @Fuzz(tries = 1500)
  void anyJsonIsReadOrRefused(@ForAll("documents") String json) {
    assertReadOrRefused(json.getBytes(StandardCharsets.UTF_8));
  }

  @Fuzz(tries = 3000)
  void aManifestWithOneWordChangedIsReadOrRefused(
      @ForAll("words") String word, @ForAll("words") String other) {
    assertReadOrRefused(manifest().replace(word, other).getBytes(StandardCharsets.UTF_8));
    assertReadOrRefused(config().replace(word, other).getBytes(StandardCharsets.UTF_8));
  }

  @Fuzz(tries = 500)
  void depthEndsInARefusal(@ForAll("depths") int depth) {
    String deep = "{\"config\":" + "[".repeat(depth) + "]".repeat(depth) + "}";
    assertReadOrRefused(deep.getBytes(StandardCharsets.UTF_8));
  }

  @Fuzz(tries = 500)
  void aConfigIsNamedByItsBytes(@ForAll("documents") String json) {
    byte[] content = json.getBytes(StandardCharsets.UTF_8);
    try {
      assertThat(parser.config(content, "x").id()).isEqualTo(Digest.of(content));
    } catch (InvalidManifestException | KeelsonException e) {
      assertThat(e).hasMessageContaining("x");
    }
  }

  private void assertReadOrRefused(byte[] content) {
    try {
      Manifest manifest = parser.manifest(content, "name");
      if (manifest instanceof Manifest.Image image) {
        assertThat(image.config().size()).isNotNegative();
        assertThat(image.layers()).allMatch(layer -> layer.size() >= 0);
      }
    } catch (InvalidManifestException | KeelsonException e) {
      assertThat(e.getMessage()).startsWith("name");
    }
    try {
      ImageConfig config = parser.config(content, "name");
      assertThat(config.chainIds()).hasSameSizeAs(config.diffIds());
    } catch (InvalidManifestException | KeelsonException e) {
      assertThat(e.getMessage()).startsWith("name");
    }
  }

  private static String manifest() {
    return """
    {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
     "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":10},
     "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"%s","size":20,
                "annotations":{"a":"b"}}]}\
    """
        .formatted(DIGEST, DIGEST);
  }

  private static String config() {
    return """
    {"architecture":"amd64","os":"linux","variant":"","config":{"User":"1","Env":["A=b"],
     "Entrypoint":["/e"],"Cmd":["c"],"Labels":{"l":"v"},"Volumes":{"/v":{}}},
     "rootfs":{"type":"layers","diff_ids":["%s"]}}\
    """
        .formatted(DIGEST);
  }

  @Provide
  Arbitrary<Integer> depths() {
    return Arbitraries.integers().between(0, 100_000);
  }

  @Provide
  Arbitrary<String> words() {
    return Arbitraries.of(
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "2",
        "10",
        "20",
        "-1",
        "1e400",
        "null",
        "true",
        "size",
        "digest",
        "config",
        "layers",
        "rootfs",
        "diff_ids",
        "manifests",
        "sha256",
        "a",
        "0123",
        "Env",
        "99999999999999999999",
        "\\u0000",
        "\ud800",
        "");
  }

  /** Documents of the words that matter, nested in all ways. */
  @Provide
  Arbitrary<String> documents() {
    return values(4);
  }

  private Arbitrary<String> values(int depth) {
    Arbitrary<String> leaves =
        Arbitraries.of(
            "null",
            "true",
            "0",
            "-1",
            "2",
            "1",
            "1.5",
            "1e99",
            "9223372036854775808",
            "\"\"",
            "\"x\"",
            "\"" + DIGEST + "\"",
            "\"sha256:../x\"",
            "\"linux\"",
            "\"amd64\"",
            "\"application/vnd.oci.image.manifest.v1+json\"",
            "\"application/vnd.oci.image.index.v1+json\"",
            "\"application/vnd.oci.image.config.v1+json\"");
    if (depth == 0) {
      return leaves;
    }
    Arbitrary<String> inner = values(depth - 1);
    Arbitrary<String> keys =
        Arbitraries.of(
            List.of(
                "schemaVersion",
                "mediaType",
                "config",
                "layers",
                "manifests",
                "digest",
                "size",
                "platform",
                "annotations",
                "rootfs",
                "diff_ids",
                "User",
                "Env",
                "Labels",
                "Volumes",
                "os",
                "architecture",
                "artifactType",
                "fsLayers",
                "Cmd"));
    Arbitrary<String> objects =
        Combinators.combine(keys, inner)
            .as((key, value) -> "\"" + key + "\":" + value)
            .list()
            .ofMaxSize(6)
            .map(fields -> "{" + String.join(",", fields) + "}");
    Arbitrary<String> arrays =
        inner.list().ofMaxSize(3).map(items -> "[" + String.join(",", items) + "]");
    return Arbitraries.frequencyOf(
        net.jqwik.api.Tuple.of(4, objects),
        net.jqwik.api.Tuple.of(1, arrays),
        net.jqwik.api.Tuple.of(1, leaves));
  }
}
