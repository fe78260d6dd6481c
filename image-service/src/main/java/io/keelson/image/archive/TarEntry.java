package io.keelson.image.archive;

import io.keelson.linux.tree.Timestamp;
import java.util.List;
import java.util.Map;

/**
 * One member of a tar, with all that extended headers say of it. Names are bytes, one {@code char}
 * each.
 *
 * @param name as the archive has it: may be absolute, hold {@code ..}, end with a slash
 * @param linkName of symbolic and hard links, else {@code ""}
 * @param mode permissions with set-user-id, set-group-id and sticky
 * @param uid as the kernel takes it, 32 bits
 * @param gid as the kernel takes it, 32 bits
 * @param size in bytes, as a reader of the file will see it
 * @param major of device nodes
 * @param minor of device nodes
 * @param attributes extended attributes in the archive's order
 * @param extents where the content lies; one for a plain file, more or none for a sparse one
 */
public record TarEntry(
    Type type,
    String name,
    String linkName,
    int mode,
    int uid,
    int gid,
    long size,
    Timestamp modified,
    Timestamp accessed,
    int major,
    int minor,
    Map<String, byte[]> attributes,
    List<Extent> extents) {

  /** What an entry makes. */
  public enum Type {
    FILE('0'),
    HARD_LINK('1'),
    SYMBOLIC_LINK('2'),
    CHARACTER_DEVICE('3'),
    BLOCK_DEVICE('4'),
    FOLDER('5'),
    FIFO('6');

    private final char letter;

    Type(char letter) {
      this.letter = letter;
    }

    /** How ustar names it. */
    char letter() {
      return letter;
    }

    boolean isDevice() {
      return this == CHARACTER_DEVICE || this == BLOCK_DEVICE;
    }
  }

  /** A part of a file that has content; what lies between extents is a hole. */
  public record Extent(long offset, long length) {
    public Extent {
      if (offset < 0 || length < 0 || offset + length < 0) {
        throw new IllegalArgumentException("extent " + offset + "+" + length);
      }
    }
  }
}
