package io.keelson.cni.plugin;

import io.keelson.sandbox.error.KeelsonException;
import java.io.IOException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Pods that nobody will ask to detach again, but that something is left of: their DEL is tried
 * until it succeeds. Safe for use by many threads.
 */
final class ForgottenPods {

  private static final Logger log = LoggerFactory.getLogger(ForgottenPods.class);

  /** After a crash many pods may be lost at once; their plugins get only a part of the machine. */
  private static final int PARALLEL = 4;

  private final Deletion deletion;
  private final Set<String> sandboxIds = ConcurrentHashMap.newKeySet();
  private final ReentrantLock retrying = new ReentrantLock();

  ForgottenPods(Deletion deletion) {
    this.deletion = deletion;
  }

  /** Takes back what is left of a pod, and removes it from here if that succeeds. */
  @FunctionalInterface
  interface Deletion {
    void delete(String sandboxId) throws IOException;
  }

  void add(String sandboxId) {
    sandboxIds.add(sandboxId);
  }

  void remove(String sandboxId) {
    sandboxIds.remove(sandboxId);
  }

  boolean contains(String sandboxId) {
    return sandboxIds.contains(sandboxId);
  }

  /** Tries each pod once. Failures are logged. */
  void retryAll() {
    retrying.lock();
    try {
      retry();
    } finally {
      retrying.unlock();
    }
  }

  /** The same, but nothing if it is going on already. */
  void retryUnlessBusy() {
    if (!sandboxIds.isEmpty() && retrying.tryLock()) {
      try {
        retry();
      } finally {
        retrying.unlock();
      }
    }
  }

  private void retry() {
    try (ExecutorService workers =
        Executors.newFixedThreadPool(PARALLEL, Thread.ofVirtual().factory())) {
      for (String sandboxId : sandboxIds) {
        workers.execute(() -> retry(sandboxId));
      }
    }
  }

  private void retry(String sandboxId) {
    try {
      deletion.delete(sandboxId);
    } catch (IOException | KeelsonException e) {
      log.atWarn()
          .addKeyValue("sandbox", sandboxId)
          .log("the pod's network is not taken back yet, it is tried again: {}", e.getMessage());
    }
  }
}
