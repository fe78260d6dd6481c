package io.keelson.sandbox.tls;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is made out of files, and made anew when these have changed, so that certificates can be
 * renewed while the daemon runs. While the new files are unfit, half written perhaps, what was made
 * last stays. Safe for use by many threads.
 *
 * @param <T> what is made
 */
public final class Renewed<T> {

  private static final Logger LOG = LoggerFactory.getLogger(Renewed.class);

  /** Makes it. */
  @FunctionalInterface
  public interface Reader<T> {

    /**
     * @throws IOException if a file is missing or unfit
     */
    T read() throws IOException;
  }

  private final String purpose;
  private final List<Path> files;
  private final Reader<T> reader;
  private final ReentrantLock lock = new ReentrantLock();
  private List<FileTime> times; // guarded by lock
  private List<FileTime> unfit = List.of(); // guarded by lock
  private T made; // guarded by lock

  private Renewed(
      String purpose, List<Path> files, Reader<T> reader, List<FileTime> times, T made) {
    this.purpose = purpose;
    this.files = files;
    this.reader = reader;
    this.times = times;
    this.made = made;
  }

  /**
   * Reads the files.
   *
   * @param purpose of the files, for the log
   * @throws IOException if one is missing or unfit
   */
  public static <T> Renewed<T> open(String purpose, List<Path> files, Reader<T> reader)
      throws IOException {
    List<Path> all = List.copyOf(files);
    List<FileTime> times = times(all);
    return new Renewed<>(purpose, all, reader, times, reader.read());
  }

  /** As the files are now, or as they were when they were last fit. */
  public T current() {
    lock.lock();
    try {
      List<FileTime> now = List.of();
      try {
        now = times(files);
        if (!now.equals(times)) {
          made = reader.read();
          times = now;
          LOG.atInfo().addKeyValue("purpose", purpose).log("new certificates are used");
        }
      } catch (IOException e) {
        if (!now.equals(unfit)) {
          unfit = now;
          LOG.atWarn()
              .setCause(e)
              .addKeyValue("purpose", purpose)
              .log("new certificates are unfit: the last ones are still used");
        }
      }
      return made;
    } finally {
      lock.unlock();
    }
  }

  private static List<FileTime> times(List<Path> files) throws IOException {
    List<FileTime> times = new ArrayList<>();
    for (Path file : files) {
      times.add(Files.getLastModifiedTime(file));
    }
    return times;
  }
}
