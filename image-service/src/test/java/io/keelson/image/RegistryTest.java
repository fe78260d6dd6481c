package io.keelson.image;

import io.keelson.image.fixture.MemoryFolders;
import io.keelson.image.fixture.TestRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** Each test has a registry and a store of its own, and leaves no mount behind. */
abstract class RegistryTest {

  @TempDir(factory = MemoryFolders.class)
  Path root;

  TestRegistry registry;
  Images images;

  @BeforeEach
  final void open() throws IOException {
    registry = new TestRegistry();
    images = Images.open(settings());
  }

  /** What the store is opened with. */
  ImageSettings settings() {
    return ImageSettings.defaults(root);
  }

  /** The daemon ends and starts again. */
  final void reopen(ImageSettings settings) throws IOException {
    images.close();
    images = Images.open(settings);
  }

  @AfterEach
  final void close() throws IOException {
    images.provisioner().recover(List.of());
    images.close();
    registry.close();
  }
}
