package io.keelson.sandbox.launch;

import io.keelson.linux.SealedProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runtimes from sealed memory. A runtime protects its own file from the containers that it enters
 * (CVE-2019-5736): it makes a sealed copy of itself at every start, and starts again from that.
 * Started from such a copy it has no need to, which for crun saves half of a short command's time.
 * Safe for use by many threads.
 */
final class RuntimePrograms implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(RuntimePrograms.class);

  /** A larger one (runc, in Go) takes its time elsewhere, and the copy is the daemon's memory. */
  private static final long MAX_SIZE = 8 << 20;

  private final Map<Path, Copy> copies = new ConcurrentHashMap<>();
  private final Queue<SealedProgram> outdated = new ConcurrentLinkedQueue<>();

  /** What is to be started for this program: a copy of it as it is now, or the file itself. */
  Path of(Path binary) {
    Version version;
    try {
      version = Version.of(binary);
    } catch (IOException e) {
      return binary; // whoever starts it will say what is wrong
    }
    if (version.size() > MAX_SIZE) {
      return binary;
    }
    Copy copy =
        Objects.requireNonNull(
            copies.compute(
                binary,
                (_, old) ->
                    old != null && old.version.equals(version) ? old : copy(binary, version, old)));
    return copy.program == null ? binary : copy.program.path();
  }

  private Copy copy(Path binary, Version version, @Nullable Copy old) {
    if (old != null && old.program != null) {
      outdated.add(old.program); // somebody may be about to start it
    }
    try {
      return new Copy(version, SealedProgram.of(binary));
    } catch (IOException e) {
      LOG.atInfo()
          .addKeyValue("runtime", binary)
          .log("the runtime is started from its file, which takes longer: {}", e.getMessage());
      return new Copy(version, null);
    }
  }

  @Override
  public void close() {
    copies
        .values()
        .forEach(
            copy -> {
              if (copy.program != null) {
                copy.program.close();
              }
            });
    copies.clear();
    outdated.forEach(SealedProgram::close);
  }

  /** An update of the runtime replaces the file, or at least its time. */
  private record Version(@Nullable Object file, FileTime changed, long size) {

    static Version of(Path binary) throws IOException {
      BasicFileAttributes attributes = Files.readAttributes(binary, BasicFileAttributes.class);
      return new Version(attributes.fileKey(), attributes.lastModifiedTime(), attributes.size());
    }
  }

  private static final class Copy {

    final Version version;
    final @Nullable SealedProgram program;

    Copy(Version version, @Nullable SealedProgram program) {
      this.version = version;
      this.program = program;
    }
  }
}
