package io.keelson.runtime.streaming.websocket;

import io.keelson.runtime.streaming.wire.HttpAnswer;
import io.keelson.runtime.streaming.wire.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;

/** The upgrade of an HTTP request to WebSocket (RFC 6455, 4.2). */
public final class WebSocketHandshake {

  private static final String GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

  private WebSocketHandshake() {}

  public static boolean isAskedFor(HttpRequest request) {
    return request.upgradesTo("websocket");
  }

  /** The subprotocols that the client speaks, the best first. */
  public static List<String> protocols(HttpRequest request) {
    return request.values("sec-websocket-protocol");
  }

  /**
   * The answer that accepts, or one that says what is wrong with the request.
   *
   * @param protocol the chosen one; empty for none
   */
  public static HttpAnswer accept(HttpRequest request, String protocol) {
    List<String> keys = request.values("sec-websocket-key");
    if (keys.size() != 1 || !request.values("sec-websocket-version").contains("13")) {
      return HttpAnswer.badRequest("this server speaks WebSocket version 13");
    }
    String accept = "Sec-WebSocket-Accept: " + accept(keys.getFirst());
    return HttpAnswer.switching(
        "websocket",
        protocol.isEmpty()
            ? List.of(accept)
            : List.of(accept, "Sec-WebSocket-Protocol: " + protocol));
  }

  private static String accept(String key) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-1")
              .digest((key + GUID).getBytes(StandardCharsets.ISO_8859_1));
      return Base64.getEncoder().encodeToString(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-1", e);
    }
  }
}
