package io.keelson.runtime.streaming;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection to a port of a pod, and its client's stream. Each way ends for itself: the end of
 * what the client sends reaches the pod while the pod still sends, and the other way round. A reset
 * on one side becomes a reset on the other.
 */
final class PortConnection {

  private static final Logger LOG = LoggerFactory.getLogger(PortConnection.class);

  private static final int SMALL_BUFFER = 1024;
  private static final int LARGE_BUFFER = 64 * 1024;

  private final SocketChannel pod;
  private final InputStream fromClient;
  private final OutputStream toClient;
  private final Runnable resetClient;

  /**
   * A connection that is made, and the stream that it is for.
   *
   * @param resetClient tells the client that the connection broke
   */
  PortConnection(
      SocketChannel pod, InputStream fromClient, OutputStream toClient, Runnable resetClient) {
    this.pod = pod;
    this.fromClient = fromClient;
    this.toClient = toClient;
    this.resetClient = resetClient;
  }

  /** Returns when both ways have ended; the connection to the pod is closed then. */
  void run() throws InterruptedException {
    Thread upload = Thread.ofVirtual().name("stream-port-upload").start(this::upload);
    try {
      download();
      upload.join();
    } finally {
      close();
    }
  }

  private void upload() {
    try {
      long _ = fromClient.transferTo(pod.socket().getOutputStream());
      pod.shutdownOutput();
    } catch (IOException e) {
      LOG.debug("a forwarded connection broke on its way to the pod: {}", e.toString());
      abort();
    }
  }

  private void download() {
    try {
      InputStream fromPod = pod.socket().getInputStream();
      byte[] buffer = new byte[SMALL_BUFFER];
      for (int count = fromPod.read(buffer); count >= 0; count = fromPod.read(buffer)) {
        toClient.write(buffer, 0, count);
        // While nothing comes, this is what waits.
        buffer = buffer(buffer, count);
      }
      toClient.close();
    } catch (IOException e) {
      LOG.debug("a forwarded connection broke on its way from the pod: {}", e.toString());
      abort();
    }
  }

  private static byte[] buffer(byte[] last, int count) {
    if (count == last.length) {
      return last.length == LARGE_BUFFER ? last : new byte[LARGE_BUFFER];
    }
    return count > SMALL_BUFFER || last.length == SMALL_BUFFER ? last : new byte[SMALL_BUFFER];
  }

  /** A connection that is closed with this option set ends in a reset. */
  private void abort() {
    try {
      pod.setOption(StandardSocketOptions.SO_LINGER, 0);
    } catch (IOException e) {
      LOG.atTrace().setCause(e).log("closed already");
    }
    close();
    resetClient.run();
  }

  private void close() {
    try {
      pod.close();
    } catch (IOException e) {
      LOG.debug("closing a forwarded connection failed: {}", e.toString());
    }
  }
}
