package io.keelson.runtime.daemon;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a second daemon from a folder. The kernel lets go of the lock when the process ends,
 * however it ends; the file stays and means nothing.
 */
final class FolderLock implements AutoCloseable {

  private static final String NAME = "daemon.lock";

  private final FileChannel channel;

  private FolderLock(FileChannel channel) {
    this.channel = channel;
  }

  /**
   * Makes the folder if it is not there.
   *
   * @throws StartException if another daemon has the folder
   */
  static FolderLock acquire(Path folder) throws IOException, StartException {
    Path file = Files.createDirectories(folder).resolve(NAME);
    FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      if (tryLock(channel) == null) {
        String holder = Files.readString(file).strip();
        throw new StartException(
            List.of(
                "another keelson daemon"
                    + (holder.isEmpty() ? "" : " (process " + holder + ")")
                    + " works in "
                    + folder
                    + "; stop it, or give this one other folders with --root and --state"));
      }
      String pid = ProcessHandle.current().pid() + "\n";
      channel.truncate(0).write(ByteBuffer.wrap(pid.getBytes(StandardCharsets.US_ASCII)));
      return new FolderLock(channel);
    } catch (IOException | StartException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException _) { // a daemon in this very process
      return null;
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
