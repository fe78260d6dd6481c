package io.keelson.integration.harness;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A registry on the loopback that serves one image and does not keep its word: it closes the
 * connection in the middle of a layer, or serves other bytes than it has promised.
 */
public final class LyingRegistry implements AutoCloseable {

  private final HttpServer server;
  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
  private final Map<String, TestImage.Blob> blobs = new HashMap<>();
  private final TestImage.Blob manifest;
  private final String cutDigest;
  private final AtomicInteger cuts;
  private final AtomicInteger requests = new AtomicInteger();
  private volatile boolean swapsBytes;
  private volatile boolean hangs;

  /**
   * @param cuts how many answers for the first layer are cut in the middle before one is whole
   */
  public LyingRegistry(TestImage image, int cuts) throws IOException {
    this.manifest = image.manifest();
    this.cuts = new AtomicInteger(cuts);
    image.layerBlobs().forEach(blob -> blobs.put(blob.digest(), blob));
    blobs.put(image.configuration().digest(), image.configuration());
    cutDigest = image.layerBlobs().getFirst().digest();
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(executor);
    server.createContext("/v2/", this::answer);
    server.start();
  }

  /** From now on the first layer has other bytes than its digest says, in the same number. */
  public LyingRegistry swapsBytes() {
    swapsBytes = true;
    return this;
  }

  /** From now on the first layer stops coming in the middle, and the connection stays. */
  public LyingRegistry hangs() {
    hangs = true;
    return this;
  }

  public String image() {
    return "127.0.0.1:" + server.getAddress().getPort() + "/lies/image:1";
  }

  /** How often the first layer was asked for. */
  public int requests() {
    return requests.get();
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String path = exchange.getRequestURI().getPath();
      if (path.contains("/manifests/")) {
        exchange.getResponseHeaders().set("Docker-Content-Digest", manifest.digest());
        send(exchange, manifest);
        return;
      }
      TestImage.Blob blob = blobs.get(path.substring(path.lastIndexOf('/') + 1));
      if (path.equals("/v2/")) {
        exchange.sendResponseHeaders(200, -1);
      } else if (blob == null) {
        exchange.sendResponseHeaders(404, -1);
      } else if (blob.digest().equals(cutDigest) && exchange.getRequestMethod().equals("GET")) {
        sendLayer(exchange, blob);
      } else {
        send(exchange, blob);
      }
    }
  }

  private void sendLayer(HttpExchange exchange, TestImage.Blob blob) throws IOException {
    requests.incrementAndGet();
    byte[] content = blob.content();
    if (swapsBytes) {
      byte[] other = content.clone();
      Arrays.fill(other, other.length / 2, other.length / 2 + 100, (byte) 'x');
      send(exchange, new TestImage.Blob(blob.mediaType(), other));
      return;
    }
    if (!hangs && cuts.getAndDecrement() <= 0) {
      send(exchange, blob);
      return;
    }
    exchange.sendResponseHeaders(200, content.length);
    OutputStream body = exchange.getResponseBody();
    body.write(content, 0, content.length / 2);
    body.flush();
    if (hangs) {
      try {
        Thread.sleep(600_000);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    throw new IOException("cut on purpose"); // closes the connection
  }

  /** Honours a range, as real registries do. */
  private static void send(HttpExchange exchange, TestImage.Blob blob) throws IOException {
    byte[] content = blob.content();
    exchange.getResponseHeaders().set("Content-Type", blob.mediaType());
    String range = exchange.getRequestHeaders().getFirst("Range");
    int from = 0;
    int status = 200;
    if (range != null && range.matches("bytes=\\d+-")) {
      from = Integer.parseInt(range.substring("bytes=".length(), range.length() - 1));
      status = 206;
      exchange
          .getResponseHeaders()
          .set(
              "Content-Range",
              "bytes %d-%d/%d".formatted(from, content.length - 1, content.length));
    }
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.getResponseHeaders().set("Content-Length", Integer.toString(content.length));
      exchange.sendResponseHeaders(status, -1);
      return;
    }
    exchange.sendResponseHeaders(status, content.length - from);
    exchange.getResponseBody().write(content, from, content.length - from);
  }

  @Override
  public void close() {
    server.stop(0);
    executor.shutdownNow();
  }
}
