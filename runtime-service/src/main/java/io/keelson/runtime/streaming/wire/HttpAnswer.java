package io.keelson.runtime.streaming.wire;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The answer to a request: a refusal with a line for people, or the switch to another protocol.
 *
 * @param headers whole lines
 */
public record HttpAnswer(int status, String reason, List<String> headers, String body) {

  /** 101, after which the connection speaks the protocol. */
  public static HttpAnswer switching(String protocol, List<String> headers) {
    List<String> lines = new ArrayList<>(headers);
    lines.add("Connection: Upgrade");
    lines.add("Upgrade: " + protocol);
    return new HttpAnswer(101, "Switching Protocols", lines, "");
  }

  public static HttpAnswer badRequest(String why) {
    return new HttpAnswer(400, "Bad Request", List.of(), why + "\n");
  }

  public static HttpAnswer notFound(String why) {
    return new HttpAnswer(404, "Not Found", List.of(), why + "\n");
  }

  /** As Kubernetes' servers answer who speaks none of their versions of a protocol. */
  public static HttpAnswer forbidden(String why, List<String> headers) {
    return new HttpAnswer(403, "Forbidden", headers, why + "\n");
  }

  public void writeTo(OutputStream out) throws IOException {
    StringBuilder text = new StringBuilder();
    text.append("HTTP/1.1 ").append(status).append(' ').append(reason).append("\r\n");
    headers.forEach(line -> text.append(line).append("\r\n"));
    if (status != 101) {
      text.append("Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n");
      text.append("Content-Length: ").append(body.getBytes(StandardCharsets.UTF_8).length);
      text.append("\r\n");
    }
    text.append("\r\n").append(body);
    out.write(text.toString().getBytes(StandardCharsets.UTF_8));
    out.flush();
  }
}
