package io.keelson.image.archive;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A path inside of a layer: relative to its root, without {@code .}, {@code ..} and empty parts.
 * The root is {@code ""}.
 */
record EntryPath(String path) {

  static final String WHITEOUT_PREFIX = ".wh.";
  static final String OPAQUE_NAME = ".wh..wh..opq";
  static final String AUFS_PREFIX = ".wh..wh.";

  static final EntryPath ROOT = new EntryPath("");

  private static final int MAX_LENGTH = 16 * 1024;
  private static final int MAX_DEPTH = 1024;
  private static final int MAX_NAME = 255;

  /**
   * A path as an archive says it. Absolute ones begin at the root of the layer.
   *
   * @throws MalformedArchiveException if it leads out of the layer, or is longer than any that can
   *     be opened
   */
  static EntryPath of(String raw) throws MalformedArchiveException {
    return of(raw, false);
  }

  /**
   * As {@link #of}, but {@code ..} at the root stays there, as it does for a process in a
   * container.
   */
  static EntryPath clamped(String raw) throws MalformedArchiveException {
    return of(raw, true);
  }

  private static EntryPath of(String raw, boolean clamp) throws MalformedArchiveException {
    if (raw.length() > MAX_LENGTH) {
      throw new MalformedArchiveException("a path of " + raw.length() + " bytes");
    }
    List<String> parts = new ArrayList<>();
    for (String part : raw.split("/", -1)) {
      switch (part) {
        case "", "." -> {}
        case ".." -> {
          if (!parts.isEmpty()) {
            parts.removeLast();
          } else if (!clamp) {
            throw new MalformedArchiveException("path \"" + raw + "\" leads out of the layer");
          }
        }
        default -> {
          if (part.length() > MAX_NAME) {
            throw new MalformedArchiveException("a name of " + part.length() + " bytes");
          }
          parts.add(part);
        }
      }
    }
    if (parts.size() > MAX_DEPTH) {
      throw new MalformedArchiveException("a path of " + parts.size() + " folders");
    }
    return new EntryPath(String.join("/", parts));
  }

  /** The same as seen from a folder; null if it is not in there. */
  @Nullable EntryPath below(EntryPath folder) {
    if (folder.isRoot()) {
      return this;
    }
    if (path.equals(folder.path())) {
      return ROOT;
    }
    return path.startsWith(folder.path() + "/")
        ? new EntryPath(path.substring(folder.path().length() + 1))
        : null;
  }

  boolean isRoot() {
    return path.isEmpty();
  }

  EntryPath parent() {
    int slash = path.lastIndexOf('/');
    return slash < 0 ? ROOT : new EntryPath(path.substring(0, slash));
  }

  /** The last part. */
  String name() {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  @Override
  public String toString() {
    return "/" + path;
  }
}
