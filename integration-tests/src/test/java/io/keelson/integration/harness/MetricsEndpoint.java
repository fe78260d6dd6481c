package io.keelson.integration.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** What a node's daemon tells of itself by HTTP, on a unix socket. */
public record MetricsEndpoint(Path socket) {

  /** Of a node that is not started yet. */
  public static MetricsEndpoint of(TestNode node) {
    Path socket = node.base().resolve("metrics.sock");
    node.set("metrics.address", "\"unix:" + socket + "\"");
    return new MetricsEndpoint(socket);
  }

  /** The whole answer, with its headers. */
  public String get(String path) {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
      Channels.newOutputStream(channel)
          .write(
              ("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
      return new String(Channels.newInputStream(channel).readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * The value of one sample.
   *
   * @param metrics the answer to {@code /metrics}
   * @param sample its name and labels
   */
  public static double value(String metrics, String sample) {
    return metrics
        .lines()
        .filter(line -> line.startsWith(sample + " "))
        .map(line -> Double.parseDouble(line.substring(sample.length() + 1)))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no " + sample + " in\n" + metrics));
  }
}
