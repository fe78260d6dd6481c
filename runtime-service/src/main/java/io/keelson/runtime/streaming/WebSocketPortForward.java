package io.keelson.runtime.streaming;

import io.keelson.runtime.streaming.websocket.WebSocketConnection;
import io.keelson.sandbox.Pods;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.stream.ByteQueue;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Port forwarding over the channels of a WebSocket, two for each port, for data and for an error in
 * words; one connection to each port, made at once. Each channel begins with the number of its
 * port.
 */
final class WebSocketPortForward {

  static final String PROTOCOL = "v4.channel.k8s.io";

  private static final Logger LOG = LoggerFactory.getLogger(WebSocketPortForward.class);

  private static final int MAX_UNREAD = 256 * 1024;

  private final Pods pods;
  private final String podId;
  private final WebSocketConnection connection;
  private final List<Integer> ports;
  private final List<ByteQueue> inputs;

  WebSocketPortForward(
      Pods pods, String podId, WebSocketConnection connection, List<Integer> ports) {
    this.pods = pods;
    this.podId = podId;
    this.connection = connection;
    this.ports = ports;
    this.inputs = ports.stream().map(_ -> new ByteQueue(MAX_UNREAD)).toList();
  }

  /** Returns when the client's connection has ended, and with it all that it forwarded. */
  void run() throws IOException {
    for (int i = 0; i < 2 * ports.size(); i++) {
      int port = ports.get(i / 2);
      channel(i).write(new byte[] {(byte) port, (byte) (port >> 8)});
    }
    IntStream.range(0, ports.size())
        .forEach(i -> Thread.ofVirtual().name("stream-port").start(() -> forward(i)));
    try {
      for (byte[] message = connection.receive(); message != null; message = connection.receive()) {
        int channel = message.length == 0 ? -1 : message[0] & 0xff;
        if (channel >= 0 && channel % 2 == 0 && channel / 2 < inputs.size()) {
          inputs.get(channel / 2).put(Arrays.copyOfRange(message, 1, message.length));
        }
      }
    } finally {
      connection.close();
      IOException why = new IOException("the connection has ended");
      inputs.forEach(input -> input.fail(why));
    }
  }

  private void forward(int index) {
    int port = ports.get(index);
    try {
      SocketChannel channel;
      try {
        channel = pods.connect(podId, port);
      } catch (IOException | KeelsonException e) {
        String text =
            "error forwarding port %d to pod %s: %s".formatted(port, podId, e.getMessage());
        channel(2 * index + 1).write(text.getBytes(StandardCharsets.UTF_8));
        return;
      }
      new PortConnection(channel, inputs.get(index), channel(2 * index), () -> {}).run();
      if (ports.size() == 1) {
        connection.sendClose();
      }
    } catch (IOException e) {
      LOG.debug("the client has gone: {}", e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private OutputStream channel(int number) {
    byte[] prefix = {(byte) number};
    return new OutputStream() {
      @Override
      public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
      }

      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        connection.sendBinary(prefix, bytes, offset, length);
      }
    };
  }
}
