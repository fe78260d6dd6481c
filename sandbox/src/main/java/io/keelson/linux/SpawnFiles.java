package io.keelson.linux;

import java.nio.file.Path;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Which files a child has open; standard input, output and error are {@code /dev/null} unless set.
 * All other descriptors of this process are closed in the child. Immutable: each method answers a
 * changed copy.
 */
public final class SpawnFiles {

  private static final SpawnFiles NULL =
      new SpawnFiles(new TreeMap<>())
          .path(0, Path.of("/dev/null"), Fd.O_RDONLY, 0)
          .path(1, Path.of("/dev/null"), Fd.O_WRONLY, 0)
          .path(2, Path.of("/dev/null"), Fd.O_WRONLY, 0);

  private final SortedMap<Integer, Source> sources;

  private SpawnFiles(SortedMap<Integer, Source> sources) {
    this.sources = Collections.unmodifiableSortedMap(sources);
  }

  /** Standard input, output and error on {@code /dev/null}. */
  public static SpawnFiles none() {
    return NULL;
  }

  /**
   * The child gets {@code fd} under the number {@code child}; it must stay open until the start.
   */
  public SpawnFiles fd(int child, Fd fd) {
    return with(child, new Descriptor(fd));
  }

  /**
   * The child gets the file opened (open(2)) as {@code child}; not for a FIFO, whose opening may
   * wait.
   */
  public SpawnFiles path(int child, Path file, int flags, int mode) {
    return with(child, new Opened(file.toAbsolutePath(), flags, mode));
  }

  private SpawnFiles with(int child, Source source) {
    if (child < 0) {
      throw new IllegalArgumentException("no file descriptor: " + child);
    }
    SortedMap<Integer, Source> changed = new TreeMap<>(sources);
    changed.put(child, source);
    return new SpawnFiles(changed);
  }

  SortedMap<Integer, Source> sources() {
    return sources;
  }

  sealed interface Source {}

  record Descriptor(Fd fd) implements Source {}

  record Opened(Path file, int flags, int mode) implements Source {}
}
