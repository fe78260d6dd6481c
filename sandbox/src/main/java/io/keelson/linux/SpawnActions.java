package io.keelson.linux;

import com.sun.jna.Memory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the child does with its descriptors before it runs the program (posix_spawn(3), file
 * actions).
 */
final class SpawnActions implements AutoCloseable {

  /** More than the C library's 80 bytes. */
  private static final int SIZE = 128;

  private final Memory memory = new Memory(SIZE);
  private final List<Fd> moved = new ArrayList<>();

  SpawnActions(SpawnFiles files, @Nullable Path cwd) throws ErrnoException {
    LibC.posix_spawn_file_actions_init(memory);
    try {
      int first = files.sources().lastKey() + 1;
      for (Map.Entry<Integer, SpawnFiles.Source> entry : files.sources().entrySet()) {
        int child = entry.getKey();
        switch (entry.getValue()) {
          case SpawnFiles.Opened(Path file, int flags, int mode) ->
              check(
                  "addopen(" + child + ", " + file + ")",
                  LibC.posix_spawn_file_actions_addopen(
                      memory, child, LibC.string(file.toString()), flags, mode));
          case SpawnFiles.Descriptor(Fd fd) -> {
            int source = outOfTheWay(fd.number(), child, first);
            check(
                "adddup2(" + source + ", " + child + ")",
                LibC.posix_spawn_file_actions_adddup2(memory, source, child));
          }
        }
      }
      check("addclosefrom", LibC.posix_spawn_file_actions_addclosefrom_np(memory, first));
      if (cwd != null) {
        check(
            "addchdir(" + cwd + ")",
            LibC.posix_spawn_file_actions_addchdir_np(memory, LibC.string(cwd.toString())));
      }
    } catch (ErrnoException e) {
      close();
      throw e;
    }
  }

  Memory memory() {
    return memory;
  }

  @Override
  public void close() {
    LibC.posix_spawn_file_actions_destroy(memory);
    memory.close();
    moved.forEach(Fd::close);
  }

  /**
   * A descriptor whose number another one gets in the child would be overwritten before its turn,
   * so it gets a second number above all of them.
   */
  private int outOfTheWay(int fd, int child, int first) throws ErrnoException {
    if (fd >= first || fd == child) {
      return fd;
    }
    int copy = LibC.fcntl(fd, LibC.F_DUPFD_CLOEXEC, first);
    if (copy < 0) {
      throw LibC.failure("fcntl(" + fd + ", F_DUPFD_CLOEXEC)");
    }
    moved.add(Fd.adopt(copy));
    return copy;
  }

  private static void check(String action, int errno) throws ErrnoException {
    if (errno != 0) {
      throw new ErrnoException("posix_spawn_file_actions_" + action, errno);
    }
  }
}
