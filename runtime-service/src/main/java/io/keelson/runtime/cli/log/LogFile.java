package io.keelson.runtime.cli.log;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A log file that may grow, be cut, and be rotated (renamed and made anew) while it is read. For
 * one thread.
 */
public final class LogFile implements AutoCloseable {

  private final Path path;
  private final ByteBuffer buffer = ByteBuffer.allocate(64 * 1024);
  private final ByteArrayOutputStream pending = new ByteArrayOutputStream();
  private FileChannel channel;
  private @Nullable Object fileKey;

  private LogFile(Path path, FileChannel channel, @Nullable Object fileKey) {
    this.path = path;
    this.channel = channel;
    this.fileKey = fileKey;
  }

  /** Takes each line, without its end. */
  public interface LineConsumer {
    void line(byte[] line) throws IOException;
  }

  /**
   * Opens the log for reading from its beginning.
   *
   * @throws NoSuchFileException if there is none
   */
  public static LogFile open(Path path) throws IOException {
    FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
    return new LogFile(path, channel, key(path));
  }

  /** Goes to where the last {@code lines} of the workload's lines begin. */
  public void skipToLast(long lines) throws IOException {
    ArrayDeque<Long> starts = new ArrayDeque<>();
    long[] position = {channel.position()};
    boolean[] goesOn = {false};
    if (lines > 0) {
      readAvailable(
          line -> {
            if (!goesOn[0]) {
              starts.add(position[0]);
              if (starts.size() > lines) {
                starts.remove();
              }
            }
            position[0] += line.length + 1;
            goesOn[0] = LogLine.parse(line).map(LogLine::isPartial).orElse(false);
          });
      channel.position(starts.isEmpty() ? position[0] : starts.getFirst());
    } else {
      channel.position(channel.size());
    }
    pending.reset();
  }

  /**
   * Reads all whole lines that are there now.
   *
   * @return whether there were any
   */
  public boolean readAvailable(LineConsumer consumer) throws IOException {
    boolean any = false;
    if (channel.size() < channel.position()) { // someone cut the file
      channel.position(0);
      pending.reset();
    }
    while (channel.read(buffer.clear()) > 0) {
      buffer.flip();
      while (buffer.hasRemaining()) {
        byte octet = buffer.get();
        if (octet == '\n') {
          consumer.line(pending.toByteArray());
          pending.reset();
          any = true;
        } else {
          pending.write(octet);
        }
      }
    }
    return any;
  }

  /**
   * Turns to the new file if the log was rotated. When there is a new file nobody writes to the old
   * one any more, so what that still holds is read first.
   *
   * @return whether it was
   */
  public boolean reopenIfRotated(LineConsumer consumer) throws IOException {
    try {
      Object key = key(path);
      if (Objects.equals(key, fileKey)) {
        return false;
      }
      FileChannel next = FileChannel.open(path, StandardOpenOption.READ);
      readAvailable(consumer);
      channel.close();
      channel = next;
      fileKey = key;
      pending.reset();
      return true;
    } catch (NoSuchFileException _) { // between the renaming and the new file
      return false;
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  private static @Nullable Object key(Path path) throws IOException {
    return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
  }
}
