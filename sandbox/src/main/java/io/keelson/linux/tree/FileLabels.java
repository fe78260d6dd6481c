package io.keelson.linux.tree;

import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/** The SELinux labels of files (the extended attribute {@code security.selinux}). */
public final class FileLabels {

  private static final String ATTRIBUTE = "security.selinux";
  private static final String SELF = ".";

  private FileLabels() {}

  /** The label of a file, if it has one; a symbolic link's is its own. */
  public static Optional<String> of(Path file) throws ErrnoException {
    try (Folder folder = Folder.open(parent(file))) {
      return of(folder, name(file));
    }
  }

  /**
   * Gives a file, or a folder and all below it, a label. A folder that has it already is taken for
   * done: a large volume is labelled once and not at each start. What can't be labelled (a file
   * system that has no labels) stays as it is.
   */
  public static void apply(Path file, String label) throws ErrnoException {
    try (Folder folder = Folder.open(parent(file))) {
      if (!of(folder, name(file)).equals(Optional.of(label))) {
        apply(folder, name(file), (label + '\0').getBytes(StandardCharsets.UTF_8));
      }
    }
  }

  private static Optional<String> of(Folder folder, String name) throws ErrnoException {
    // The kernel gives the label with the zero at its end, if it was set so.
    return folder
        .inode(name)
        .attribute(ATTRIBUTE)
        .map(value -> new String(value, StandardCharsets.UTF_8).replace("\0", ""));
  }

  /** The folder itself comes last, so that one that is cut short is done again. */
  private static void apply(Folder parent, String name, byte[] label) throws ErrnoException {
    Optional<FileStatus> status = parent.status(name);
    if (status.isEmpty()) {
      return; // deleted meanwhile
    }
    if (status.get().isDirectory()) {
      try (Folder folder = parent.openFolder(name)) {
        for (String child : folder.list()) {
          apply(folder, child, label);
        }
      }
    }
    try {
      parent.inode(name).setAttribute(ATTRIBUTE, label);
    } catch (ErrnoException e) {
      if (!e.is(Errno.EOPNOTSUPP) && !e.is(Errno.EROFS)) {
        throw e;
      }
    }
  }

  private static Path parent(Path file) {
    Path absolute = file.toAbsolutePath().normalize();
    return Objects.requireNonNullElse(absolute.getParent(), absolute);
  }

  private static String name(Path file) {
    Path name = file.toAbsolutePath().normalize().getFileName();
    return name == null ? SELF : name.toString();
  }
}
