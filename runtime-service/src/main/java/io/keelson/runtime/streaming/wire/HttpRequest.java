package io.keelson.runtime.streaming.wire;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The head of an HTTP/1.1 request (RFC 9112) that is to become something else by an upgrade.
 *
 * @param path without the query, as it was sent
 * @param query without the question mark; empty for none
 * @param headers by their names in lower case
 */
public record HttpRequest(
    String method, String path, String query, Map<String, List<String>> headers) {

  private static final int MAX_HEAD = 64 * 1024;

  /**
   * Reads a head; what follows stays in the stream, which should be a buffered one.
   *
   * @throws BadRequestException if it is no head of HTTP, or too long
   * @throws EOFException if the connection ends before
   */
  public static HttpRequest read(InputStream in) throws IOException {
    String requestLine = line(in, MAX_HEAD);
    String[] parts = requestLine.split(" ", -1);
    if (parts.length != 3 || !parts[2].startsWith("HTTP/1.")) {
      throw new BadRequestException("no request line of HTTP/1.1");
    }
    Map<String, List<String>> headers = new TreeMap<>();
    int left = MAX_HEAD - requestLine.length();
    for (String line = line(in, left); !line.isEmpty(); line = line(in, left)) {
      left -= line.length() + 2;
      int colon = line.indexOf(':');
      if (colon <= 0) {
        throw new BadRequestException("a header without a name");
      }
      headers
          .computeIfAbsent(
              line.substring(0, colon).strip().toLowerCase(Locale.ROOT), _ -> new ArrayList<>())
          .add(line.substring(colon + 1).strip());
    }
    int mark = parts[1].indexOf('?');
    return new HttpRequest(
        parts[0],
        mark < 0 ? parts[1] : parts[1].substring(0, mark),
        mark < 0 ? "" : parts[1].substring(mark + 1),
        headers);
  }

  /** All values of a header, those in one line with commas apart. */
  public List<String> values(String name) {
    return headers.getOrDefault(name.toLowerCase(Locale.ROOT), List.of()).stream()
        .flatMap(line -> Stream.of(line.split(",", -1)))
        .map(String::strip)
        .filter(value -> !value.isEmpty())
        .toList();
  }

  /** True if the connection is to become one of this protocol. */
  public boolean upgradesTo(String protocol) {
    return contains("connection", "upgrade") && contains("upgrade", protocol);
  }

  private boolean contains(String name, String value) {
    return values(name).stream().anyMatch(value::equalsIgnoreCase);
  }

  private static String line(InputStream in, int max) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream(128);
    for (int b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0) {
        throw new EOFException("the connection ended within the head of a request");
      }
      if (line.size() >= max) {
        throw new BadRequestException("the head is longer than " + MAX_HEAD + " bytes");
      }
      line.write(b);
    }
    String text = line.toString(StandardCharsets.ISO_8859_1);
    return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
  }

  /** What came is no request that could be understood. */
  public static final class BadRequestException extends IOException {

    private static final long serialVersionUID = 1L;

    BadRequestException(String message) {
      super(message);
    }
  }
}
