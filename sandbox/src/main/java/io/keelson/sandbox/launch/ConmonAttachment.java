package io.keelson.sandbox.launch;

import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.FdPoller;
import io.keelson.linux.PolledFd;
import io.keelson.linux.UnixSocket;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.port.LaunchRequest;
import io.keelson.sandbox.port.ProcessStreams;
import io.keelson.sandbox.stream.ByteQueue;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Arrays;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection to conmon's attach socket. Each packet from there begins with a byte that says which
 * stream it is of; packets to there are standard input as it is.
 *
 * <p>conmon writes to all who are attached before it goes on, and one who does not read would hold
 * up container and log. So here everything is read at once, and kept for a slow caller within
 * limits; while that one takes nothing, the container has to wait, but not for long.
 */
final class ConmonAttachment implements ProcessStreams {

  private static final Logger LOG = LoggerFactory.getLogger(ConmonAttachment.class);

  private static final int STDOUT = 2;
  private static final int STDERR = 3;
  private static final int KEPT = 1 << 20;
  private static final int MAX_INPUT = 8 * 1024;

  /** For how long a reader may take nothing before it is cut off. */
  static final Duration MAX_STALL = Duration.ofSeconds(10);

  private final LaunchRequest request;
  private final PolledFd socket;
  private final Duration maxStall;
  private final ByteQueue stdout = new ByteQueue(KEPT);
  private final ByteQueue stderr = new ByteQueue(KEPT);

  private ConmonAttachment(LaunchRequest request, PolledFd socket, Duration maxStall) {
    this.request = request;
    this.socket = socket;
    this.maxStall = maxStall;
  }

  static ConmonAttachment open(LaunchRequest request, FdPoller poller, Duration maxStall)
      throws IOException {
    PolledFd socket;
    try {
      socket = poller.register(UnixSocket.connectPackets(new Bundle(request.bundle()).attach()));
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT) || e.is(Errno.ECONNREFUSED)) {
        throw new FailedPreconditionException(
            "container " + request.containerId() + " does not run: nobody listens at its streams");
      }
      throw e;
    }
    ConmonAttachment attachment = new ConmonAttachment(request, socket, maxStall);
    Thread.ofVirtual().name("attach-" + request.containerId()).start(attachment::receive);
    return attachment;
  }

  private void receive() {
    try (InputStream packets = socket.input()) {
      long _ = packets.transferTo(new Packets());
    } catch (IOException e) {
      LOG.atDebug()
          .setCause(e)
          .addKeyValue("container", request.containerId())
          .log("an attachment has ended");
      stdout.fail(e);
      stderr.fail(e);
    }
    stdout.end();
    stderr.end();
  }

  @Override
  public OutputStream stdin() {
    return new Stdin();
  }

  @Override
  public InputStream stdout() {
    return stdout;
  }

  @Override
  public InputStream stderr() {
    return stderr;
  }

  @Override
  public void resize(int columns, int rows) throws IOException {
    if (request.terminal()) {
      boolean _ =
          ConmonControl.order(
              new Bundle(request.bundle()), ConmonControl.resizeTerminal(columns, rows));
    }
  }

  @Override
  public void close() {
    stdout.close();
    stderr.close();
    socket.close();
  }

  /** Takes one packet with each call of write, since that is what one read of the socket gives. */
  private final class Packets extends OutputStream {

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] buffer, int offset, int length) throws IOException {
      byte[] content = Arrays.copyOfRange(buffer, offset + 1, offset + length);
      ByteQueue queue =
          switch (buffer[offset]) {
            case STDOUT -> stdout;
            case STDERR -> stderr;
            default -> throw new IOException("conmon sent a packet of kind " + buffer[offset]);
          };
      if (!queue.put(content, maxStall)) {
        throw new IOException(
            "cut off: the output of container %s was not taken for %d s"
                .formatted(request.containerId(), maxStall.toSeconds()));
      }
    }
  }

  private final class Stdin extends OutputStream {

    private final OutputStream packets = socket.output();

    @Override
    public void write(int b) throws IOException {
      packets.write(b);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      for (int done = 0; done < length; done += MAX_INPUT) {
        packets.write(bytes, offset + done, Math.min(MAX_INPUT, length - done));
      }
    }

    /** conmon hands it on if the container was made so that its input can end. */
    @Override
    public void close() throws IOException {
      socket.shutdownOutput();
    }
  }
}
