package io.keelson.runtime.streaming;

import io.keelson.runtime.streaming.spdy.SpdyConnection;
import io.keelson.runtime.streaming.spdy.SpdyStream;
import io.keelson.sandbox.Pods;
import io.keelson.sandbox.error.KeelsonException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Port forwarding over SPDY ({@code portforward.k8s.io}): each forwarded connection is a pair of
 * streams, one for its data and one for an error in words.
 */
final class SpdyPortForward {

  static final String PROTOCOL = "portforward.k8s.io";

  private static final Logger LOG = LoggerFactory.getLogger(SpdyPortForward.class);

  private final Pods pods;
  private final String podId;
  private final SpdyConnection connection;
  private final Duration creationTimeout;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<String, SpdyStream> single = new HashMap<>(); // by request, guarded by lock

  SpdyPortForward(Pods pods, String podId, SpdyConnection connection, Duration creationTimeout) {
    this.pods = pods;
    this.podId = podId;
    this.connection = connection;
    this.creationTimeout = creationTimeout;
  }

  /** Returns when the client's connection has ended, and with it all that it forwarded. */
  void run() throws IOException {
    connection.serve(this::opened);
  }

  private boolean opened(SpdyStream stream) {
    String type = stream.header("streamtype");
    if (!type.equals("error") && !type.equals("data")) {
      return false;
    }
    if (port(stream) == 0) {
      return false;
    }
    String request = request(stream, type);
    @Nullable SpdyStream other;
    lock.lock();
    try {
      other = single.remove(request);
      if (other == null) {
        single.put(request, stream);
      }
    } finally {
      lock.unlock();
    }
    if (other == null) {
      Thread.ofVirtual().name("stream-pair").start(() -> giveUpWaiting(request, stream));
      return true;
    }
    if (other.header("streamtype").equals(type)) {
      other.reset();
      return false;
    }
    SpdyStream data = type.equals("data") ? stream : other;
    SpdyStream error = type.equals("data") ? other : stream;
    Thread.ofVirtual().name("stream-port").start(() -> forward(data, error));
    return true;
  }

  /** 0 if it is none. */
  private static int port(SpdyStream stream) {
    String port = stream.header("port");
    int number = port.matches("[0-9]{1,5}") ? Integer.parseInt(port) : 0;
    return number <= 65_535 ? number : 0;
  }

  /** Old clients number no requests, but open the error stream right before that for data. */
  private static String request(SpdyStream stream, String type) {
    String id = stream.header("requestid");
    if (!id.isEmpty()) {
      return id;
    }
    return Integer.toString(type.equals("error") ? stream.id() : stream.id() - 2);
  }

  private void giveUpWaiting(String request, SpdyStream stream) {
    try {
      Thread.sleep(creationTimeout);
    } catch (InterruptedException e) {
      return;
    }
    lock.lock();
    try {
      if (!single.remove(request, stream)) {
        return;
      }
    } finally {
      lock.unlock();
    }
    stream.reset();
  }

  private void forward(SpdyStream data, SpdyStream error) {
    int port = port(data);
    try (OutputStream words = error.output()) {
      SocketChannel channel;
      try {
        channel = pods.connect(podId, port);
      } catch (IOException | KeelsonException e) {
        LOG.atInfo()
            .addKeyValue("pod", podId)
            .addKeyValue("port", port)
            .log("port can't be forwarded: {}", e.getMessage());
        words.write(text(port, e).getBytes(StandardCharsets.UTF_8));
        data.output().close();
        data.input().close();
        return;
      }
      new PortConnection(channel, data.input(), data.output(), data::reset).run();
    } catch (IOException e) {
      LOG.debug("the client has gone: {}", e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private String text(int port, Exception e) {
    return "error forwarding port %d to pod %s: %s".formatted(port, podId, e.getMessage());
  }
}
