package io.keelson.linux;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A folder that is the root for all paths resolved in it, as after chroot: symbolic links, {@code
 * ..} and absolute paths never lead out of it, whatever a container does meanwhile (openat2(2),
 * RESOLVE_IN_ROOT). Safe for use by many threads.
 */
public final class RootDirectory implements AutoCloseable {

  private static final long RESOLVE_NO_MAGICLINKS = 0x02;
  private static final long RESOLVE_IN_ROOT = 0x10;
  private static final int OPEN_HOW_SIZE = 24;

  /** The kernel asks for another try when a rename anywhere races with {@code ..}. */
  private static final int ATTEMPTS = 64;

  private final Fd root;
  private final Path path;

  private RootDirectory(Fd root, Path path) {
    this.root = root;
    this.path = path;
  }

  public static RootDirectory open(Path directory) throws ErrnoException {
    return new RootDirectory(Fd.open(directory, Fd.O_PATH | Fd.O_DIRECTORY, 0), directory);
  }

  /**
   * Opens a path below the root.
   *
   * @param path absolute or relative, both begin at the root
   * @param flags {@code Fd.O_…}
   * @param mode of a file that is created, else ignored
   */
  public Fd open(String path, int flags, int mode) throws ErrnoException {
    String name = path.isEmpty() ? "." : path;
    try (Memory how = new Memory(OPEN_HOW_SIZE);
        Memory text = LibC.memory(name)) {
      how.setLong(0, flags | LibC.O_CLOEXEC);
      how.setLong(8, (flags & Fd.O_CREAT) == 0 ? 0 : mode);
      how.setLong(16, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
      for (int attempt = 1; ; attempt++) {
        long fd =
            LibC.syscall(
                LibC.SYS_OPENAT2,
                root.number(),
                Pointer.nativeValue(text),
                Pointer.nativeValue(how),
                OPEN_HOW_SIZE,
                0);
        if (fd >= 0) {
          return Fd.adopt((int) fd);
        }
        int errno = Native.getLastError();
        if ((errno != Errno.EAGAIN && errno != Errno.EINTR) || attempt == ATTEMPTS) {
          throw new ErrnoException(
              "openat2(\"%s\", \"%s\", 0x%x, 0%03o, RESOLVE_IN_ROOT)"
                  .formatted(this.path, path, flags | LibC.O_CLOEXEC, mode),
              errno);
        }
      }
    }
  }

  /**
   * The content of a regular file; empty if there is no such path.
   *
   * @throws IOException if it is longer than {@code maxBytes} or no regular file
   */
  public Optional<byte[]> readFile(String path, int maxBytes) throws IOException {
    // Without O_NONBLOCK a FIFO would hold us up.
    try (Fd fd = open(path, Fd.O_RDONLY | Fd.O_NONBLOCK, 0)) {
      if (!Files.isRegularFile(procPath(fd))) {
        throw new IOException("no regular file: " + path + " below " + this.path);
      }
      ByteArrayOutputStream content = new ByteArrayOutputStream();
      byte[] buffer = new byte[8192];
      for (int count; (count = fd.read(buffer, 0, buffer.length)) >= 0; ) {
        if (count > maxBytes - content.size()) {
          throw new IOException(
              "longer than " + maxBytes + " bytes: " + path + " below " + this.path);
        }
        content.write(buffer, 0, count);
      }
      return Optional.of(content.toByteArray());
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT) || e.is(Errno.ENOTDIR)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /**
   * Where an existing path really is on the host. A container that can rename may change that at
   * any time: for use where it does not run yet; else use {@link #open} and the descriptor.
   */
  public Path resolve(String path) throws IOException {
    try (Fd fd = open(path, Fd.O_PATH, 0)) {
      return Files.readSymbolicLink(procPath(fd));
    }
  }

  @Override
  public void close() {
    root.close();
  }

  private static Path procPath(Fd fd) {
    return Path.of("/proc/self/fd/" + fd.number());
  }
}
