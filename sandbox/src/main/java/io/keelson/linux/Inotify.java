package io.keelson.linux;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells of changes in one folder or in some (inotify(7)), with a thread of its own. The number of
 * these is limited by {@code fs.inotify.max_user_instances}, often 128. Safe for use by many
 * threads.
 */
public final class Inotify implements AutoCloseable {

  public static final int IN_MODIFY = 0x2;
  public static final int IN_ATTRIB = 0x4;
  public static final int IN_CLOSE_WRITE = 0x8;
  public static final int IN_MOVED_FROM = 0x40;
  public static final int IN_MOVED_TO = 0x80;
  public static final int IN_CREATE = 0x100;
  public static final int IN_DELETE = 0x200;
  public static final int IN_DELETE_SELF = 0x400;
  public static final int IN_MOVE_SELF = 0x800;
  public static final int IN_UNMOUNT = 0x2000;
  public static final int IN_Q_OVERFLOW = 0x4000;
  public static final int IN_IGNORED = 0x8000;
  public static final int IN_ONLYDIR = 0x1000000;
  public static final int IN_ISDIR = 0x40000000;

  private static final Logger LOG = LoggerFactory.getLogger(Inotify.class);
  private static final int BUFFER = 64 * 1024;
  private static final int HEADER = 16;

  private final Path folder;
  private final Fd fd;
  private final Wakeup wakeup;
  private final Consumer<Event> listener;
  private final Thread thread;
  private final ReentrantLock lock = new ReentrantLock();
  private boolean ended; // guarded by lock

  private Inotify(Path folder, Fd fd, Wakeup wakeup, Consumer<Event> listener) {
    this.folder = folder;
    this.fd = fd;
    this.wakeup = wakeup;
    this.listener = listener;
    this.thread =
        Thread.ofPlatform().daemon().name("inotify-" + folder.getFileName()).unstarted(this::loop);
  }

  /**
   * Something changed.
   *
   * @param mask {@code IN_…}; with {@link #IN_Q_OVERFLOW} events were lost and the folder must be
   *     read anew
   * @param name of the entry in the folder; null if the event is about the folder itself or an
   *     overflow
   */
  public record Event(int mask, @Nullable String name) {
    public boolean is(int flag) {
      return (mask & flag) != 0;
    }
  }

  /**
   * Watches a folder. Changes from the return of this call on are reported, one after the other, on
   * one thread; what was there before is for the caller to read, after this call.
   *
   * @param mask which of {@code IN_…}
   */
  public static Inotify watch(Path folder, int mask, Consumer<Event> listener)
      throws ErrnoException {
    int number = LibC.inotify_init1(LibC.O_CLOEXEC | LibC.O_NONBLOCK);
    if (number < 0) {
      throw LibC.failure("inotify_init1 (see fs.inotify.max_user_instances)");
    }
    Fd fd = Fd.adopt(number);
    try {
      addWatch(fd, folder, mask);
      Inotify inotify = new Inotify(folder, fd, new Wakeup(), listener);
      inotify.thread.start();
      return inotify;
    } catch (ErrnoException e) {
      fd.close();
      throw e;
    }
  }

  /**
   * Watches one more folder; its events look like those of the first. A folder that is watched
   * already is not watched twice, one that goes is forgotten. Does nothing after {@link #close}.
   */
  public void watchToo(Path more, int mask) throws ErrnoException {
    lock.lock();
    try {
      if (!ended) {
        addWatch(fd, more, mask);
      }
    } finally {
      lock.unlock();
    }
  }

  private static void addWatch(Fd fd, Path folder, int mask) throws ErrnoException {
    if (LibC.inotify_add_watch(fd.number(), LibC.string(folder.toString()), mask) < 0) {
      throw LibC.failure("inotify_add_watch(\"%s\", 0x%x)".formatted(folder, mask));
    }
  }

  /**
   * Ends the watching; when it returns, the listener runs no more (unless the listener closes it).
   */
  @Override
  public void close() {
    wakeup.signal();
    if (!Thread.currentThread().equals(thread)) {
      Threads.join(thread);
    }
  }

  private void loop() {
    try (Memory buffer = new Memory(BUFFER);
        Memory polled = new Memory(16)) {
      polled.clear();
      polled.setInt(0, fd.number());
      polled.setShort(4, LibC.POLLIN);
      polled.setInt(8, wakeup.number());
      polled.setShort(12, LibC.POLLIN);
      while (polled.getShort(14) == 0) {
        if (LibC.poll(polled, 2, -1) < 0 && Native.getLastError() != Errno.EINTR) {
          throw LibC.failure("poll");
        }
        if (polled.getShort(14) == 0) {
          long count = LibC.read(fd.number(), buffer, BUFFER);
          report(buffer, count);
        }
      }
    } catch (ErrnoException e) {
      LOG.atError().setCause(e).addKeyValue("folder", folder).log("the watching has ended");
    } finally {
      end();
    }
  }

  private void end() {
    lock.lock();
    try {
      ended = true;
      fd.close();
      wakeup.close();
    } finally {
      lock.unlock();
    }
  }

  private void report(Memory buffer, long count) {
    for (long offset = 0; offset < count; ) {
      int mask = buffer.getInt(offset + 4);
      int length = buffer.getInt(offset + 12);
      String name =
          length == 0 ? null : buffer.getString(offset + HEADER, StandardCharsets.UTF_8.name());
      offset += HEADER + length;
      try {
        listener.accept(new Event(mask, name));
      } catch (RuntimeException e) {
        LOG.atError()
            .setCause(e)
            .addKeyValue("folder", folder)
            .addKeyValue("name", name)
            .log("a change could not be handled");
      }
    }
  }
}
