package io.keelson.runtime.streaming.wire;

import java.io.IOException;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What goes out on a connection, frame by frame, from many threads. Who sends content waits for the
 * peer to take it; an answer of the protocol does not, since the thread that reads the connection
 * must never wait for a peer that may be waiting for it.
 */
public final class Outbox {

  /** A peer that asks for so many answers without taking them is up to no good. */
  private static final int MAX_ANSWERS = 10_000;

  private final Wire wire;
  private final ReentrantLock lock = new ReentrantLock();
  private final Queue<Frame> answers = new ConcurrentLinkedQueue<>();
  private final AtomicInteger waiting = new AtomicInteger();
  private final AtomicBoolean draining = new AtomicBoolean();

  public Outbox(Wire wire) {
    this.wire = wire;
  }

  /** A frame, made into bytes in the order of sending, by one thread at a time. */
  @FunctionalInterface
  public interface Frame {
    byte[] encode() throws IOException;
  }

  /** Sends a frame, after all answers from before; waits until the peer's window takes it. */
  public void send(Frame frame) throws IOException {
    lock.lock();
    try {
      sendAnswers();
      wire.out().write(frame.encode());
      wire.out().flush();
    } catch (IOException e) {
      wire.close();
      throw e;
    } finally {
      lock.unlock();
    }
  }

  /** Has a frame sent soon, and does not wait. A connection that breaks meanwhile is closed. */
  public void answer(Frame frame) {
    if (waiting.incrementAndGet() > MAX_ANSWERS) {
      wire.close();
      return;
    }
    answers.add(frame);
    if (draining.compareAndSet(false, true)) {
      Thread.ofVirtual().name("stream-answers").start(this::drain);
    }
  }

  private void drain() {
    do {
      lock.lock();
      try {
        sendAnswers();
      } catch (IOException e) {
        wire.close();
        return;
      } finally {
        lock.unlock();
      }
      draining.set(false);
    } while (!answers.isEmpty() && draining.compareAndSet(false, true));
  }

  private void sendAnswers() throws IOException {
    for (Frame next = answers.poll(); next != null; next = answers.poll()) {
      waiting.decrementAndGet();
      wire.out().write(next.encode());
    }
    wire.out().flush();
  }
}
