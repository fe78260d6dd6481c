package io.keelson.image.rootfs;

import io.keelson.linux.Commands;
import io.keelson.linux.Mounts;
import io.keelson.linux.tree.FileLabels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * A copy of all layers. They are read through an overlay, which knows what hides what, and written
 * by {@code cp}, which shares blocks where the file system can.
 */
final class CopyBackend implements Backend {

  private static final Duration PATIENCE = Duration.ofMinutes(30);
  private static final int MAX_OUTPUT = 64 * 1024;

  private final OverlayMount overlay;

  CopyBackend(OverlayMount overlay) {
    this.overlay = overlay;
  }

  @Override
  public boolean isSlow() {
    return true;
  }

  @Override
  public void make(RootFolder folder, List<Path> layers, String label) throws IOException {
    Path merged = ReadOnlyLayers.mount(overlay, folder.source(), layers, 0, "");
    try {
      Commands.Output copied =
          Commands.run(
              List.of(
                  "cp",
                  "--archive",
                  "--reflink=auto",
                  "--no-target-directory",
                  merged.toString(),
                  folder.merged().toString()),
              Map.of("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL", "C"),
              new byte[0],
              PATIENCE,
              MAX_OUTPUT);
      if (!copied.isSuccess()) {
        throw new IOException("layers not copied: " + copied.stderrText().strip());
      }
    } finally {
      Mounts.detach(merged);
    }
    Files.delete(merged);
    if (!label.isEmpty()) {
      FileLabels.apply(folder.merged(), label);
    }
  }
}
