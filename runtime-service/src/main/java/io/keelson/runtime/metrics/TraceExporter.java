package io.keelson.runtime.metrics;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends calls that have ended to an OpenTelemetry collector: a span for the call and one below it
 * for each stage, in the trace of the caller if it sends one. A call only puts itself into a queue;
 * when the collector is away or slow, spans are dropped and counted, and no call waits.
 */
public final class TraceExporter implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(TraceExporter.class);

  private static final int QUEUE = 2048;
  private static final int BATCH = 256;
  private static final Duration GATHER = Duration.ofMillis(500);

  private final TraceSink sink;
  private final Spans spans;
  private final BlockingQueue<Spans.Ended> queue = new ArrayBlockingQueue<>(QUEUE);
  private final LongAdder dropped = new LongAdder();
  private final Thread sender;
  private boolean told;

  /**
   * @param sink is closed with this
   * @param version of the daemon
   */
  public TraceExporter(TraceSink sink, String version) {
    this.sink = sink;
    this.spans = new Spans(version);
    this.sender = Thread.ofVirtual().name("traces").start(this::run);
  }

  /** Takes a call that has ended; never waits. */
  void offer(Operation operation) {
    if (!isRecorded(operation)) {
      return;
    }
    if (!queue.offer(new Spans.Ended(operation, System.nanoTime()))) {
      dropped.increment();
    }
  }

  /** A caller that sends its trace decides; else lists and statuses have nothing to be seen. */
  private static boolean isRecorded(Operation operation) {
    return operation
        .caller()
        .map(TraceContext::sampled)
        .orElseGet(() -> !operation.stages().isEmpty());
  }

  /** How many calls were not sent. */
  long dropped() {
    return dropped.sum();
  }

  private void run() {
    List<Spans.Ended> batch = new ArrayList<>();
    try {
      while (true) {
        batch.add(queue.take());
        Thread.sleep(GATHER);
        queue.drainTo(batch, BATCH - 1);
        send(batch);
        batch.clear();
      }
    } catch (InterruptedException _) {
      queue.drainTo(batch, BATCH);
    }
  }

  private void send(List<Spans.Ended> batch) throws InterruptedException {
    try {
      sink.send(spans.of(batch));
    } catch (IOException e) {
      dropped.add(batch.size());
      if (!told) {
        told = true;
        LOG.atWarn()
            .addKeyValue("endpoint", sink)
            .log("traces can't be sent (told once): {}", String.valueOf(e));
      }
    }
  }

  @Override
  public void close() {
    sender.interrupt();
    sink.close();
  }
}
