package io.keelson.runtime.nri;

import io.keelson.proto.nri.v1alpha1.Container;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What plugins have been told of one pod or container. Its lock is held while they are told of one
 * turn in its life, so that each plugin hears of each turn once and in order, also one that
 * connects meanwhile. Whoever holds it waits for plugins, but for no lock of the core.
 *
 * @param <C> what the core tells of it
 */
final class Cell<C> {

  private final String id;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile C context;
  private boolean ended; // guarded by lock
  private boolean removed; // guarded by lock
  private @Nullable Container described; // guarded by lock

  Cell(String id, C context) {
    this.id = id;
    this.context = context;
  }

  String id() {
    return id;
  }

  ReentrantLock lock() {
    return lock;
  }

  C context() {
    return context;
  }

  void context(C next) {
    context = next;
  }

  /** A container that has ended, a pod that is stopped: plugins have been told. */
  boolean ended() {
    return ended;
  }

  void setEnded() {
    ended = true;
  }

  /** Nothing more is to be told. */
  boolean removed() {
    return removed;
  }

  void setRemoved() {
    removed = true;
  }

  /** A container as its config.json describes it, once that has been read. */
  @Nullable Container described() {
    return described;
  }

  void setDescribed(Container container) {
    described = container;
  }
}
