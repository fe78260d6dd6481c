package io.keelson.image.archive;

import io.keelson.linux.tree.Folder;
import io.keelson.linux.tree.NewFile;
import io.keelson.linux.tree.Timestamp;
import io.keelson.linux.tree.TransferBuffer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Makes a layer that holds one file, as artifacts have them. For one thread. */
public final class FileLayer {

  private static final Timestamp EPOCH = new Timestamp(0, 0);

  private final Folder root;
  private final UnpackLimits limits;

  /**
   * @param root empty
   */
  public FileLayer(Folder root, UnpackLimits limits) {
    this.root = root;
    this.limits = limits;
  }

  /**
   * Writes the file and the folders that it is in. They are root's, and for everybody to read.
   *
   * @param path in the layer, as the artifact says it
   * @throws MalformedArchiveException if the path leads out of the layer, or the file is too large
   */
  public UnpackedLayer write(String path, long size, ByteFeed content) throws IOException {
    // Names are bytes, one char each, below here.
    EntryPath file =
        EntryPath.of(
            new String(path.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1));
    if (file.isRoot() || path.indexOf('\0') >= 0) {
      throw new MalformedArchiveException("a file without a name: \"" + path + "\"");
    }
    if (size > limits.maxBytes()) {
      throw new MalformedArchiveException(
          "a file of %d bytes; %d are allowed".formatted(size, limits.maxBytes()));
    }
    try (LayerFolders folders = new LayerFolders(root);
        TransferBuffer buffer = new TransferBuffer();
        NewFile made = folders.at(file.parent()).createFile(file.name())) {
      content.transfer(
          Math.max(size, 0), (data, offset, length) -> made.write(data, offset, length, buffer));
      made.setPermissions(0644);
      made.setTimes(EPOCH, EPOCH);
    }
    root.inode(".").setPermissions(0755);
    long folderCount = file.path().chars().filter(c -> c == '/').count() + 1;
    return new UnpackedLayer(
        (size + 4095) / 4096 * 4096 + folderCount * 4096, folderCount + 1, List.of());
  }
}
