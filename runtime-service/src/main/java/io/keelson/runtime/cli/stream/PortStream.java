package io.keelson.runtime.cli.stream;

import io.keelson.runtime.streaming.spdy.SpdyStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** One connection of this node that is carried to a port of a pod. */
public final class PortStream {

  private static final String PROTOCOL = "portforward.k8s.io";

  private PortStream() {}

  /**
   * Carries it until both ways have ended, and closes it.
   *
   * @throws IOException with the daemon's words if nobody listens there, or if it breaks
   */
  public static void carry(Socket local, String url, int port)
      throws IOException, InterruptedException {
    try (local;
        StreamConnection connection = StreamConnection.open(url, PROTOCOL)) {
      SpdyStream error = open(connection, port, "error");
      error.output().close();
      SpdyStream data = open(connection, port, "data");
      Thread upload =
          Thread.ofVirtual()
              .name("upload")
              .start(
                  () -> {
                    try (OutputStream out = data.output()) {
                      long _ = local.getInputStream().transferTo(out);
                    } catch (IOException e) {
                      data.reset();
                    }
                  });
      long _ = data.input().transferTo(local.getOutputStream());
      local.shutdownOutput();
      upload.join();
      String words = new String(error.input().readAllBytes(), StandardCharsets.UTF_8);
      if (!words.isEmpty()) {
        throw new IOException(words);
      }
    }
  }

  private static SpdyStream open(StreamConnection connection, int port, String type)
      throws IOException {
    return connection.stream(
        Map.of("streamtype", type, "port", Integer.toString(port), "requestid", "0"));
  }
}
