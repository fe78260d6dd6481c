package io.keelson.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.linux.Inotify.Event;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InotifyTest {

  @TempDir Path folder;
  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();

  @Test
  void tellsOfFilesThatCome() throws Exception {
    int mask = Inotify.IN_CLOSE_WRITE | Inotify.IN_MOVED_TO;
    try (Inotify inotify = Inotify.watch(folder, mask, events::add)) {
      assertThat(inotify).isNotNull();
      Files.writeString(folder.resolve("größe"), "x");
      assertThat(next()).isEqualTo(new Event(Inotify.IN_CLOSE_WRITE, "größe"));

      AtomicFile.write(folder.resolve("exit"), new byte[] {1}, false);
      assertThat(next().name()).startsWith(".exit.");
      Event moved = next();
      assertThat(moved.name()).isEqualTo("exit");
      assertThat(moved.is(Inotify.IN_MOVED_TO)).isTrue();
    }
  }

  @Test
  void aListenerThatFailsGetsTheNextEventToo() throws Exception {
    try (Inotify inotify =
        Inotify.watch(
            folder,
            Inotify.IN_CREATE,
            event -> {
              events.add(event);
              throw new IllegalStateException("on purpose");
            })) {
      assertThat(inotify).isNotNull();
      Files.createFile(folder.resolve("a"));
      Files.createFile(folder.resolve("b"));

      assertThat(next().name()).isEqualTo("a");
      assertThat(next().name()).isEqualTo("b");
    }
  }

  @Test
  void tellsOfTheEndOfTheFolderItself() throws Exception {
    Path gone = Files.createDirectory(folder.resolve("gone"));
    try (Inotify inotify = Inotify.watch(gone, Inotify.IN_DELETE_SELF, events::add)) {
      assertThat(inotify).isNotNull();
      Files.delete(gone);

      assertThat(next()).isEqualTo(new Event(Inotify.IN_DELETE_SELF, null));
    }
  }

  @Test
  void afterCloseNothingIsToldAndTheInstanceIsFree() throws Exception {
    Inotify.watch(folder, Inotify.IN_CREATE, events::add).close();

    Files.createFile(folder.resolve("a"));
    assertThat(events.poll(20, TimeUnit.MILLISECONDS)).isNull();
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (instances() > 0 && System.nanoTime() < end) {
      Thread.sleep(5); // one of an earlier test may not be closed yet
    }
    assertThat(instances()).isZero();
  }

  @Test
  void aFolderThatIsNotThereIsNamed() {
    assertThatThrownBy(() -> Inotify.watch(folder.resolve("no"), Inotify.IN_CREATE, events::add))
        .hasMessageContaining("no\"")
        .hasMessageContaining("ENOENT");
  }

  private static long instances() throws IOException {
    long count = 0;
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path entry : entries) {
        try {
          count += Files.readSymbolicLink(entry).toString().contains("inotify") ? 1 : 0;
        } catch (NoSuchFileException e) {
          // Closed since it was listed.
        }
      }
    }
    return count;
  }

  private Event next() throws InterruptedException {
    Event event = events.poll(30, TimeUnit.SECONDS);
    assertThat(event).isNotNull();
    return event;
  }
}
