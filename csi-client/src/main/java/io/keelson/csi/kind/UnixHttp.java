package io.keelson.csi.kind;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;

/** One HTTP/1.1 request on a unix socket, which the JDK's client can't do (RFC 9112). */
final class UnixHttp {

  static final int OK = 200;

  private static final int MAX_BODY = 4 << 20;
  private static final int MAX_LINE = 8 << 10;
  private static final int DECIMAL = 10;
  private static final int HEX = 16;

  private UnixHttp() {}

  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Response(int status, byte[] body) {}

  static Response post(Path socket, String path, byte[] body, Duration timeout) throws IOException {
    AtomicBoolean late = new AtomicBoolean();
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      Thread deadline =
          Thread.ofVirtual()
              .name("plugin-deadline")
              .start(() -> closeAfter(channel, timeout, late));
      try {
        channel.connect(UnixDomainSocketAddress.of(socket));
        String head =
            "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nAccept: %s\r\n"
                    .formatted(path, "application/json", "application/vnd.docker.plugins.v1.1+json")
                + "Content-Length: %d\r\nConnection: close\r\n\r\n".formatted(body.length);
        write(channel, head.getBytes(StandardCharsets.US_ASCII));
        write(channel, body);
        return read(new BufferedInputStream(Channels.newInputStream(channel)));
      } catch (AsynchronousCloseException e) {
        throw late.get()
            ? new SocketTimeoutException("no answer within " + timeout.toMillis() + " ms")
            : e;
      } finally {
        deadline.interrupt();
      }
    }
  }

  private static void closeAfter(SocketChannel channel, Duration timeout, AtomicBoolean late) {
    try {
      Thread.sleep(timeout);
      late.set(true);
      channel.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the answer came
    } catch (IOException e) {
      // Closed all the same.
    }
  }

  private static void write(SocketChannel channel, byte[] bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }

  private static Response read(InputStream in) throws IOException {
    String[] status = line(in).split(" ", 3);
    if (status.length < 2 || !status[0].startsWith("HTTP/1.") || !status[1].matches("[0-9]{3}")) {
      throw new IOException("not an answer of HTTP/1.1: " + String.join(" ", status));
    }
    long length = -1;
    boolean chunked = false;
    for (String header = line(in); !header.isEmpty(); header = line(in)) {
      String lower = header.toLowerCase(Locale.ROOT);
      if (lower.startsWith("content-length:")) {
        length = number(lower.substring("content-length:".length()), DECIMAL);
      } else if (lower.startsWith("transfer-encoding:") && lower.contains("chunked")) {
        chunked = true;
      }
    }
    byte[] body = chunked ? chunks(in) : in.readNBytes(length < 0 ? MAX_BODY : bounded(length));
    return new Response(Integer.parseInt(status[1]), body);
  }

  private static byte[] chunks(InputStream in) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    while (true) {
      int length = bounded(number(line(in).split(";", 2)[0], HEX));
      if (length == 0) {
        return all.toByteArray();
      }
      all.write(in.readNBytes(length));
      bounded(all.size());
      line(in);
    }
  }

  private static long number(String text, int radix) throws IOException {
    try {
      return Long.parseLong(text.strip(), radix);
    } catch (NumberFormatException e) {
      throw new IOException("not an answer of HTTP/1.1: \"" + text.strip() + "\" is no length", e);
    }
  }

  private static int bounded(long length) throws IOException {
    if (length < 0 || length > MAX_BODY) {
      throw new IOException("an answer of " + length + " bytes is too long");
    }
    return (int) length;
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    while (line.length() < MAX_LINE) {
      int next = in.read();
      if (next < 0) {
        throw new EOFException("the connection ended within the answer");
      }
      if (next == '\n') {
        return line.toString().stripTrailing();
      }
      line.append((char) next);
    }
    throw new IOException("a line of the answer is too long");
  }
}
