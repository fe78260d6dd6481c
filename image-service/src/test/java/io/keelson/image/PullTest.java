package io.keelson.image;

import io.keelson.image.fixture.TestImage;
import io.keelson.image.request.PullRequest;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;

/** Each test has a registry that offers one image of one layer. */
abstract class PullTest extends RegistryTest {

  final TestImage image;

  /** The digest of its layer. */
  final String layer;

  String reference;

  PullTest(TestImage image) {
    this.image = image;
    this.layer = image.layers().getFirst();
  }

  @BeforeEach
  final void push() {
    reference = registry.push(image, "app", "1");
  }

  final String pull() throws IOException {
    return images.pull(PullRequest.of(reference));
  }

  /** A node's, with another patience. */
  final ImageSettings settings(Duration stallTimeout, int connections, Duration firstPause) {
    ImageSettings defaults = ImageSettings.defaults(root);
    return defaults.withRegistries(
        defaults.registries().with(stallTimeout, connections).withFirstPause(firstPause));
  }
}
