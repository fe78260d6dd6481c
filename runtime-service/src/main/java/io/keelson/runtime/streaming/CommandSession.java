package io.keelson.runtime.streaming;

import io.keelson.sandbox.Containers;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.port.ExecSession;
import io.keelson.sandbox.port.ProcessStreams;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An exec or attach, from the upgrade of its connection to its end. When the client goes without a
 * word, the process loses its streams as if a person had closed the terminal: what ran in one is
 * hung up on, anything else reads the end and can write no more.
 */
final class CommandSession {

  private static final Logger LOG = LoggerFactory.getLogger(CommandSession.class);

  /** For a client to take the last of the output and close the connection itself. */
  private static final Duration FAREWELL = Duration.ofSeconds(10);

  private final Containers containers;
  private final StreamRequest request;
  private final CommandChannels channels;
  private final Duration creationTimeout;
  private final CountDownLatch gone = new CountDownLatch(1);
  private final ReentrantLock lock = new ReentrantLock();
  private @Nullable ProcessStreams process; // guarded by lock

  CommandSession(
      Containers containers,
      StreamRequest request,
      CommandChannels channels,
      Duration creationTimeout) {
    this.containers = containers;
    this.request = request;
    this.channels = channels;
    this.creationTimeout = creationTimeout;
  }

  /** Returns when the connection has ended. */
  void run() throws IOException {
    Thread worker = Thread.ofVirtual().name("stream-" + request.kind()).start(this::work);
    try {
      channels.serve();
    } finally {
      gone.countDown();
      worker.interrupt();
      letGo();
    }
  }

  private void letGo() {
    lock.lock();
    try {
      if (process != null) {
        process.close();
      }
    } finally {
      lock.unlock();
    }
  }

  private void work() {
    try {
      channels.awaitOpen(creationTimeout);
      channels.finish(status());
      boolean _ = gone.await(FAREWELL.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException | InterruptedIOException e) {
      LOG.atDebug().addKeyValue("stream", request.kind()).log("the client has gone");
    } catch (IOException e) {
      LOG.atDebug()
          .addKeyValue("stream", request.kind())
          .log("a stream has broken: {}", e.toString());
    } finally {
      channels.close();
    }
  }

  private CommandStatus status() throws IOException, InterruptedException {
    try (ProcessStreams streams = open()) {
      if (gone.getCount() == 0) {
        throw new InterruptedIOException("the client has gone");
      }
      return talk(streams);
    } catch (InterruptedIOException e) {
      throw e;
    } catch (KeelsonException | IOException e) {
      return new CommandStatus.Failed(String.valueOf(e.getMessage()));
    }
  }

  private ProcessStreams open() throws IOException {
    ProcessStreams opened =
        switch (request) {
          case StreamRequest.Exec exec ->
              containers.openExec(exec.containerId(), exec.command(), exec.wanted());
          case StreamRequest.Attach attach -> containers.attach(attach.containerId());
          case StreamRequest.PortForward _ ->
              throw new IllegalStateException("ports have no process");
        };
    lock.lock();
    try {
      process = opened;
    } finally {
      lock.unlock();
    }
    return opened;
  }

  private CommandStatus talk(ProcessStreams streams) throws IOException, InterruptedException {
    if (wantsInput()) {
      start("stdin", () -> feed(streams));
    }
    start("resize", () -> WindowSizes.follow(channels.resizes(), streams));
    Thread out = start("stdout", () -> drain(streams.stdout(), channels.stdout()));
    Thread err = start("stderr", () -> drain(streams.stderr(), channels.stderr()));
    CommandStatus status =
        streams instanceof ExecSession exec
            ? CommandStatus.ofExitCode(exec.await())
            : new CommandStatus.Success();
    out.join();
    err.join();
    return status;
  }

  /** Who wants none must not end that of a workload that others talk to. */
  private boolean wantsInput() {
    return switch (request) {
      case StreamRequest.Exec exec -> exec.wanted().stdin();
      case StreamRequest.Attach attach -> attach.wanted().stdin();
      case StreamRequest.PortForward _ -> false;
    };
  }

  private void feed(ProcessStreams streams) throws IOException {
    try (InputStream from = channels.stdin();
        OutputStream to = streams.stdin()) {
      long _ = from.transferTo(to);
    }
  }

  /** Closes the source too: who writes to where nobody reads any more should know. */
  private static void drain(InputStream from, OutputStream to) throws IOException {
    try (from;
        to) {
      long _ = from.transferTo(to);
    }
  }

  private interface Copying {
    void run() throws IOException;
  }

  private Thread start(String name, Copying copying) {
    return Thread.ofVirtual()
        .name("stream-" + name)
        .start(
            () -> {
              try {
                copying.run();
              } catch (IOException | RuntimeException e) {
                LOG.atDebug()
                    .addKeyValue("stream", name)
                    .log("a stream has ended: {}", e.toString());
              }
            });
  }
}
