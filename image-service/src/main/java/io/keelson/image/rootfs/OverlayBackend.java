package io.keelson.image.rootfs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** An overlay: the layers below, a folder for what the container writes above. */
final class OverlayBackend implements Backend {

  private final OverlayMount overlay;

  OverlayBackend(OverlayMount overlay) {
    this.overlay = overlay;
  }

  @Override
  public void make(RootFolder folder, List<Path> layers, String label) throws IOException {
    Files.createDirectory(folder.upper());
    Files.createDirectory(folder.work());
    // The merged root looks as the upper folder does, not as the image's root.
    FolderLook.copy(layers.getFirst(), folder.upper());
    overlay.mount(layers, folder.upper(), folder.work(), folder.merged(), label);
  }
}
