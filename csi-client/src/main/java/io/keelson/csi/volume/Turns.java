package io.keelson.csi.volume;

import io.grpc.Context;
import io.grpc.Status;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Whose turn it is with a volume: a driver sees one call at a time for it (CSI spec,
 * "Concurrency"). Changes wait for each other in the order in which they come. A question waits for
 * its turn, too, but if its driver hangs, it is broken off soon after a change has come. Safe for
 * use by many threads.
 */
final class Turns {

  private final ReentrantLock lock = new ReentrantLock(true);

  /** So that those who wait for the volume's lock are changes, but for one. */
  private final ReentrantLock questions = new ReentrantLock(true);

  private final Duration courtesy;

  /**
   * @param courtesy how long a change waits for a question
   */
  Turns(Duration courtesy) {
    this.courtesy = courtesy;
  }

  /** Work that can fail as the disk does. */
  @FunctionalInterface
  interface Work<T> {
    T run() throws IOException;
  }

  /** Held for the length of a change. */
  Lock change() {
    return lock;
  }

  /**
   * Runs a question to a driver; its calls end with ABORTED if it takes long and a change waits.
   */
  <T> T ask(Work<T> question) throws IOException {
    questions.lock();
    try {
      lock.lock();
      try {
        return givingWay(question);
      } finally {
        lock.unlock();
      }
    } finally {
      questions.unlock();
    }
  }

  private <T> T givingWay(Work<T> question) throws IOException {
    Context.CancellableContext calls = Context.current().withCancellation();
    Thread watch = Thread.ofVirtual().name("volume-turns").start(() -> breakOff(calls));
    Context before = calls.attach();
    try {
      return question.run();
    } finally {
      calls.detach(before);
      calls.cancel(null);
      watch.interrupt();
    }
  }

  private void breakOff(Context.CancellableContext calls) {
    try {
      do {
        Thread.sleep(courtesy);
      } while (!lock.hasQueuedThreads());
      calls.cancel(
          Status.ABORTED
              .withDescription("the driver was slow, and a change of the volume goes first")
              .asException());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // it was answered
    }
  }
}
