package io.keelson.linux;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.nio.file.Path;

/**
 * A copy of a mount, or of a file or folder of one, that is mounted nowhere yet (open_tree(2) with
 * OPEN_TREE_CLONE). It may be made in one mount namespace and attached in another one. It is gone
 * when it is closed without being attached.
 */
public final class MountClone implements AutoCloseable {

  private static final long OPEN_TREE_CLONE = 1;
  private static final long OPEN_TREE_CLOEXEC = LibC.O_CLOEXEC;
  private static final long MOVE_MOUNT_F_EMPTY_PATH = 0x4;

  private final Fd fd;

  private MountClone(Fd fd) {
    this.fd = fd;
  }

  /**
   * Copies what the calling thread sees at a path.
   *
   * @param recursive with the mounts below it
   */
  public static MountClone of(Path source, boolean recursive) throws ErrnoException {
    try (Memory path = LibC.memory(source.toString())) {
      long flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? (long) LibC.AT_RECURSIVE : 0);
      long fd =
          LibC.syscall(LibC.SYS_OPEN_TREE, LibC.AT_FDCWD, Pointer.nativeValue(path), flags, 0, 0);
      if (fd < 0) {
        throw LibC.failure("open_tree(\"" + source + "\", OPEN_TREE_CLONE)");
      }
      return new MountClone(Fd.adopt((int) fd));
    }
  }

  /** Mounts it in the calling thread's mount namespace; a symbolic link is not followed. */
  public void attach(Path target) throws ErrnoException {
    try (Memory nothing = LibC.memory("");
        Memory path = LibC.memory(target.toString())) {
      long result =
          LibC.syscall(
              LibC.SYS_MOVE_MOUNT,
              fd.number(),
              Pointer.nativeValue(nothing),
              LibC.AT_FDCWD,
              Pointer.nativeValue(path),
              MOVE_MOUNT_F_EMPTY_PATH);
      if (result < 0) {
        throw LibC.failure("move_mount(tree, \"" + target + "\")");
      }
    }
  }

  int number() {
    return fd.number();
  }

  @Override
  public void close() {
    fd.close();
  }
}
