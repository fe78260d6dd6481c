package io.keelson.linux;

import com.sun.jna.Native;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A copy of a program in memory that nobody can change any more, root neither (memfd_create(2)), to
 * be started in place of the file.
 */
public final class SealedProgram implements AutoCloseable {

  private static final int MFD_CLOEXEC = 0x1;
  private static final int MFD_ALLOW_SEALING = 0x2;
  private static final int MFD_EXEC = 0x10; // Linux 6.3

  private static final int F_ADD_SEALS = 1033;
  private static final long ALL_SEALS = 0xf; // no more seals, shrinking, growing, writing

  /** What a link to a file in memory says (proc_pid_fd(5)). */
  private static final Pattern MEMORY = Pattern.compile("/memfd:(.*) \\(deleted\\)");

  private final Fd fd;

  private SealedProgram(Fd fd) {
    this.fd = fd;
  }

  /**
   * Copies a program.
   *
   * @throws IOException also where the host forbids programs in memory ({@code vm.memfd_noexec=2})
   */
  public static SealedProgram of(Path program) throws IOException {
    Fd fd = create(String.valueOf(program.getFileName()));
    try (InputStream in = Files.newInputStream(program)) {
      byte[] buffer = new byte[64 * 1024];
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        fd.write(buffer, 0, count);
      }
      if (LibC.fcntl(fd.number(), F_ADD_SEALS, ALL_SEALS) < 0) {
        throw LibC.failure("fcntl(F_ADD_SEALS)");
      }
      return new SealedProgram(fd);
    } catch (IOException | RuntimeException e) {
      fd.close();
      throw e;
    }
  }

  private static Fd create(String name) throws ErrnoException {
    byte[] text = LibC.string(name);
    int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = LibC.memfd_create(text, flags | MFD_EXEC);
    if (fd < 0 && Native.getLastError() == Errno.EINVAL) {
      fd = LibC.memfd_create(text, flags);
    }
    if (fd < 0) {
      throw LibC.failure("memfd_create(\"" + name + "\")");
    }
    return Fd.adopt(fd);
  }

  /** Where any process can start it from while this is open. */
  public Path path() {
    return Path.of("/proc/" + ProcessHandle.current().pid() + "/fd/" + fd.number());
  }

  /** The name of the file that the copy at this path was made of; empty if none is there. */
  static Optional<String> nameAt(Path path) {
    if (!path.startsWith("/proc")) {
      return Optional.empty();
    }
    try {
      Matcher memory = MEMORY.matcher(Files.readSymbolicLink(path).toString());
      return memory.matches() ? Optional.of(memory.group(1)) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty(); // closed, or no link
    }
  }

  @Override
  public void close() {
    fd.close();
  }
}
