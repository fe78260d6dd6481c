package io.keelson.sandbox;

import io.keelson.linux.ProcessId;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.proto.record.v1.ContainerPhase;
import io.keelson.proto.record.v1.ContainerRecord;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A container in memory: the record as last written, the lock of its state changes, and what need
 * not outlive the daemon. Who only wants to know reads {@link #record} and takes no lock.
 */
final class ContainerEntry {

  private final String id;
  private final ReentrantLock lock = new ReentrantLock();
  private final ReentrantLock updates = new ReentrantLock();
  private final CountDownLatch ended = new CountDownLatch(1);
  private final StopRequest stop = new StopRequest();
  private volatile Snapshot<ContainerRecord> snapshot;
  private volatile boolean startAnswered;
  private volatile boolean launched;
  private volatile boolean removed;
  private volatile Verdict verdict = Verdict.NONE;

  ContainerEntry(ContainerRecord record) {
    this.id = record.getId();
    this.snapshot = new Snapshot<>(record, ContainerViews::item);
  }

  String id() {
    return id;
  }

  ContainerRecord record() {
    return snapshot.record();
  }

  Snapshot<ContainerRecord> snapshot() {
    return snapshot;
  }

  void record(ContainerRecord next) {
    snapshot = new Snapshot<>(next, ContainerViews::item);
  }

  /** Those that wait for the container's end go on if it has come. */
  void releaseWaiters() {
    if (phase() == ContainerPhase.CONTAINER_PHASE_EXITED) {
      ended.countDown();
    }
  }

  ContainerPhase phase() {
    return record().getPhase();
  }

  /** The phase in the words of messages, such as {@code exited}. */
  String phaseText() {
    return phase().name().replace("CONTAINER_PHASE_", "").toLowerCase(Locale.ROOT);
  }

  ContainerConfig config() {
    return record().getConfig();
  }

  /** The resources in force: as created, with what updates changed. */
  LinuxContainerResources resources() {
    ContainerRecord current = record();
    return current.hasResources()
        ? current.getResources()
        : current.getConfig().getLinux().getResources();
  }

  ReentrantLock lock() {
    return lock;
  }

  /**
   * Lets callers who change the resources come one after another. It is taken before {@link #lock},
   * and by none who holds that of any container.
   */
  ReentrantLock updates() {
    return updates;
  }

  /** Opens when the record says EXITED and whoever listens has been told. */
  CountDownLatch ended() {
    return ended;
  }

  StopRequest stop() {
    return stop;
  }

  /**
   * True once a caller has heard that the container was started. A container that ran before the
   * daemon was started anew may have a caller who never heard.
   */
  boolean startAnswered() {
    return startAnswered;
  }

  void setStartAnswered() {
    startAnswered = true;
  }

  /** True from the launch until what the launcher keeps of it has been deleted. */
  boolean launched() {
    return launched;
  }

  void launched(boolean now) {
    launched = now;
  }

  /** True once nothing is left of it but this entry in the hands of who found it before. */
  boolean removed() {
    return removed;
  }

  void setRemoved() {
    removed = true;
  }

  Optional<ProcessId> init() {
    ContainerRecord current = record();
    return current.hasInit()
        ? Optional.of(Processes.fromRecord(current.getInit()))
        : Optional.empty();
  }

  /**
   * Why the daemon itself ends a container.
   *
   * @param reason in one word; {@code ""} if it does not
   * @param message for people
   */
  record Verdict(String reason, String message) {
    static final Verdict NONE = new Verdict("", "");
  }

  Verdict verdict() {
    return verdict;
  }

  void verdict(Verdict by) {
    verdict = by;
  }
}
