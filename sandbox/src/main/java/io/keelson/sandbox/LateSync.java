package io.keelson.sandbox;

import io.keelson.linux.AtomicFile;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings files that are written already to the disk, behind the back of whoever wrote them: one
 * after the other, each once however often it was written meanwhile. Safe for use by many threads;
 * has a thread only while there is work.
 */
final class LateSync {

  private static final Logger LOG = LoggerFactory.getLogger(LateSync.class);

  private final SequencedSet<Path> waiting = new LinkedHashSet<>();
  private boolean running; // guarded by waiting

  /** The file, and its name in its folder, will survive a power cut from some moment soon. */
  void add(Path file) {
    synchronized (waiting) {
      waiting.add(file);
      if (running) {
        return;
      }
      running = true;
    }
    Thread.startVirtualThread(this::work);
  }

  private void work() {
    for (List<Path> batch = next(); !batch.isEmpty(); batch = next()) {
      batch.forEach(LateSync::sync);
    }
  }

  private List<Path> next() {
    synchronized (waiting) {
      List<Path> batch = List.copyOf(waiting);
      waiting.clear();
      running = !batch.isEmpty();
      return batch;
    }
  }

  private static void sync(Path file) {
    try {
      AtomicFile.sync(file);
    } catch (NoSuchFileException e) {
      LOG.atTrace().log("{} is gone already", file);
    } catch (IOException e) {
      LOG.atWarn().setCause(e).log("{} may not survive a power cut", file);
    }
  }
}
