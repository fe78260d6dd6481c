package io.keelson.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.image.fixture.LayerTar;
import io.keelson.image.fixture.TestImage;
import io.keelson.image.reference.Digest;
import io.keelson.image.request.PullRequest;
import io.keelson.linux.tree.Folder;
import io.keelson.linux.tree.Trees;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is kept of layers as they came is not fetched again. */
class KeptBlobsTest extends RegistryTest {

  private final LayerTar upper = new LayerTar().file("upper", "x".repeat(100_000));
  private final TestImage image = TestImage.of(new LayerTar().file("lower", "1"), upper);
  private String reference;

  @Override
  ImageSettings settings() {
    return super.settings().withBlobs();
  }

  @BeforeEach
  void pull() throws IOException {
    reference = registry.push(image, "app", "1");
    images.pull(PullRequest.of(reference));
    assertThat(fetched(image)).isEqualTo(size(image));
  }

  /** Bytes of an image's layers that the registry was asked for. */
  private long fetched(TestImage of) {
    return of.layers().stream().mapToLong(one -> registry.count(one) * of.blob(one).length).sum();
  }

  private static long size(TestImage of) {
    return of.layers().stream().mapToLong(one -> of.blob(one).length).sum();
  }

  private Path layer(int number) throws IOException {
    String chainId = images.details(image.id()).orElseThrow().layers().get(number).chainId();
    return root.resolve("images/layers").resolve(Digest.parse(chainId).hex());
  }

  /** As after a power cut, or when somebody has deleted what looked like rubbish. */
  private void loseFiles(Path layer) throws IOException {
    try (Folder folder = Folder.open(layer)) {
      Trees.delete(folder, "diff");
    }
    reopen(settings());
    assertThat(images.list()).isEmpty();
  }

  @Test
  void aLayerThatWasLostIsMadeOfItsBlob() throws IOException {
    Path layer = layer(1);
    loseFiles(layer);

    images.pull(PullRequest.of(reference));

    assertThat(fetched(image) - size(image))
        .as("the lower layer was whole, and went with its image")
        .isEqualTo(image.blob(image.layers().getFirst()).length);
    assertThat(layer.resolve("diff/upper")).hasContent("x".repeat(100_000));
    assertThat(layer.resolve("blob")).hasBinaryContent(image.blob(image.layers().get(1)));
    assertThat(root.resolve("images/blobs")).isEmptyDirectory();
  }

  @Test
  void aBlobThatIsDamagedIsFetched() throws IOException {
    Path layer = layer(1);
    Files.write(layer.resolve("blob"), new byte[] {1}, StandardOpenOption.APPEND);
    loseFiles(layer);

    images.pull(PullRequest.of(reference));

    assertThat(fetched(image)).isEqualTo(2 * size(image));
    assertThat(layer.resolve("diff/upper")).hasContent("x".repeat(100_000));
    assertThat(layer.resolve("blob")).hasBinaryContent(image.blob(image.layers().get(1)));
    assertThat(root.resolve("images/blobs")).isEmptyDirectory();
  }

  @Test
  void theSameLayerOfAnotherImageIsNotFetched() throws IOException {
    TestImage other = TestImage.of(new LayerTar().file("other", "2"), upper);

    images.pull(PullRequest.of(registry.push(other, "other", "1")));

    assertThat(fetched(other))
        .as("once for each image's own, and once for both")
        .isEqualTo(size(other));
    images.remove(reference);
    images.remove(other.id());
    assertThat(root.resolve("images/layers")).isEmptyDirectory();
  }

  @Test
  void oneThatNobodyUsesIsDeletedAtTheNextStart() throws IOException {
    loseFiles(layer(1));
    assertThat(root.resolve("images/blobs")).isNotEmptyDirectory();
    reopen(settings());
    assertThat(root.resolve("images/blobs")).isEmptyDirectory();
  }
}
