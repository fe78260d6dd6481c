package io.keelson.runtime.server;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.keelson.proto.cri.v1.ContainerEventResponse;
import io.keelson.sandbox.event.EventHub;
import io.keelson.sandbox.event.EventQueue;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * GetContainerEvents: each caller hears of everything from the call on, until it goes. One that
 * takes events more slowly than they come gets all that are in its queue and then {@code
 * RESOURCE_EXHAUSTED}, so that it knows to look at everything anew.
 */
public final class EventCalls {

  /** More than what a node with hundreds of pods does while a caller is busy with one event. */
  private static final int CAPACITY = 1024;

  private final EventHub hub;

  public EventCalls(EventHub hub) {
    this.hub = hub;
  }

  /** Returns at once; the events go out on a thread of their own. */
  void stream(ServerCallStreamObserver<ContainerEventResponse> observer) {
    new Stream(hub.open(CAPACITY), observer).start();
  }

  /** Moves events from the queue to the caller, no faster than the caller takes them. */
  private static final class Stream {

    private final EventQueue queue;
    private final ServerCallStreamObserver<ContainerEventResponse> observer;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition moved = lock.newCondition();
    private boolean cancelled;

    Stream(EventQueue queue, ServerCallStreamObserver<ContainerEventResponse> observer) {
      this.queue = queue;
      this.observer = observer;
    }

    void start() {
      observer.setOnReadyHandler(this::signal);
      observer.setOnCancelHandler(this::cancel);
      Thread.ofVirtual().name("events").start(this::run);
    }

    private void run() {
      try (queue) {
        while (awaitReady()) {
          Optional<ContainerEventResponse> event = queue.take();
          if (event.isEmpty()) {
            break;
          }
          observer.onNext(event.get());
        }
        end();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } catch (IllegalStateException _) {
        // The call has ended meanwhile: nobody is left to hear of it.
      }
    }

    private void end() {
      if (observer.isCancelled()) {
        return;
      }
      Status status =
          queue.overflowed()
              ? Status.RESOURCE_EXHAUSTED.withDescription(
                  "events came faster than they were taken: more than "
                      + CAPACITY
                      + " were waiting; list everything and call again")
              : Status.UNAVAILABLE.withDescription("the daemon ends; call again");
      observer.onError(status.asRuntimeException());
    }

    private boolean awaitReady() throws InterruptedException {
      lock.lock();
      try {
        while (!cancelled && !observer.isReady()) {
          moved.await();
        }
        return !cancelled;
      } finally {
        lock.unlock();
      }
    }

    private void signal() {
      lock.lock();
      try {
        moved.signalAll();
      } finally {
        lock.unlock();
      }
    }

    private void cancel() {
      lock.lock();
      try {
        cancelled = true;
        moved.signalAll();
      } finally {
        lock.unlock();
      }
      queue.close();
    }
  }
}
