package io.keelson.image.rootfs;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The layers as they stand, read-only: nothing is copied, and no container can write. */
final class BindBackend implements Backend {

  private final OverlayMount overlay;

  BindBackend(OverlayMount overlay) {
    this.overlay = overlay;
  }

  @Override
  public void make(RootFolder folder, List<Path> layers, String label) throws IOException {
    ReadOnlyLayers.mount(overlay, folder, layers, 0, label);
  }
}
