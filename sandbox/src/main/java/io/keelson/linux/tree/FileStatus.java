package io.keelson.linux.tree;

import com.sun.jna.Pointer;

/**
 * What statx(2) says of an inode.
 *
 * @param mode type and permissions, as in {@code st_mode}
 * @param links how many names it has
 * @param size in bytes, as a reader sees it
 * @param allocated bytes on disk
 * @param major of the device, for device nodes
 * @param minor of the device, for device nodes
 */
public record FileStatus(
    int mode,
    int links,
    int uid,
    int gid,
    long inode,
    long size,
    long allocated,
    Timestamp accessed,
    Timestamp modified,
    int major,
    int minor) {

  public static final int S_IFMT = 0170000;
  public static final int S_IFSOCK = 0140000;
  public static final int S_IFLNK = 0120000;
  public static final int S_IFREG = 0100000;
  public static final int S_IFBLK = 0060000;
  public static final int S_IFDIR = 0040000;
  public static final int S_IFCHR = 0020000;
  public static final int S_IFIFO = 0010000;

  static final int STRUCT_SIZE = 256;

  static FileStatus of(Pointer statx) {
    return new FileStatus(
        statx.getShort(28) & 0xffff,
        statx.getInt(16),
        statx.getInt(20),
        statx.getInt(24),
        statx.getLong(32),
        statx.getLong(40),
        statx.getLong(48) * 512,
        new Timestamp(statx.getLong(64), statx.getInt(72)),
        new Timestamp(statx.getLong(112), statx.getInt(120)),
        statx.getInt(128),
        statx.getInt(132));
  }

  public int type() {
    return mode & S_IFMT;
  }

  /** Set-user-id, set-group-id, sticky and the nine permission bits. */
  public int permissions() {
    return mode & 07777;
  }

  public boolean isDirectory() {
    return type() == S_IFDIR;
  }

  public boolean isRegularFile() {
    return type() == S_IFREG;
  }

  /** What overlayfs reads as "the file below is deleted": a character device 0:0. */
  public boolean isWhiteout() {
    return type() == S_IFCHR && major == 0 && minor == 0;
  }
}
