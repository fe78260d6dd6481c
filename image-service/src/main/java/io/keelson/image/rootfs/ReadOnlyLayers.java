package io.keelson.image.rootfs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Layers that are shown together and that nobody writes to. */
final class ReadOnlyLayers {

  private ReadOnlyLayers() {}

  /**
   * Mounts them at {@link RootFolder#merged}.
   *
   * @param folder made with what the mount needs
   * @param layers the topmost first
   * @param flags of mount(2), besides that for read-only
   * @param label the SELinux label of all files; {@code ""} for their own
   * @return where they are mounted
   */
  static Path mount(
      OverlayMount overlay, RootFolder folder, List<Path> layers, long flags, String label)
      throws IOException {
    Files.createDirectories(folder.merged());
    List<Path> lower = new ArrayList<>(layers);
    // The kernel wants two where nothing is above them.
    while (lower.size() < 2) {
      lower.add(Files.createDirectories(folder.path().resolve("nothing-" + lower.size())));
    }
    overlay.mountReadOnly(lower, folder.merged(), flags, label);
    return folder.merged();
  }
}
