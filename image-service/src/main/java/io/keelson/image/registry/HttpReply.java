package io.keelson.image.registry;

import io.keelson.image.source.CorruptContentException;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** An answer of a server, its body not read yet. For one thread, except {@link #abort}. */
final class HttpReply implements AutoCloseable {

  private static final int MAX_ERROR_BODY = 8192;

  private final HttpURLConnection connection;
  private final URI uri;
  private final int status;

  HttpReply(HttpURLConnection connection, URI uri) throws IOException {
    this.connection = connection;
    this.uri = uri;
    this.status = connection.getResponseCode();
    if (status < 0) {
      throw new IOException("answer of " + uri.getAuthority() + " is not HTTP");
    }
  }

  URI uri() {
    return uri;
  }

  int status() {
    return status;
  }

  boolean isSuccess() {
    return status / 100 == 2;
  }

  @Nullable String header(String name) {
    return connection.getHeaderField(name);
  }

  /** All values of a header that may come more than once. */
  List<String> headers(String name) {
    return connection.getHeaderFields().entrySet().stream()
        .filter(field -> field.getKey() != null && field.getKey().equalsIgnoreCase(name))
        .flatMap(field -> field.getValue().stream())
        .toList();
  }

  /** The media type without its parameters, {@code ""} if there is none. */
  String mediaType() {
    String type = header("Content-Type");
    return type == null ? "" : type.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
  }

  /** Bytes of the body, negative if the server does not say. */
  long length() {
    return connection.getContentLengthLong();
  }

  InputStream body() throws IOException {
    return connection.getInputStream();
  }

  /** The body of an answer that should be short. */
  byte[] body(int max) throws IOException {
    byte[] content = body().readNBytes(max + 1);
    if (content.length > max) {
      abort();
      throw new CorruptContentException(
          "%s answers with more than the %d bytes that are allowed".formatted(uri, max));
    }
    return content;
  }

  /** What the server says of its refusal, in one line. */
  String errorText() {
    try (InputStream errors = connection.getErrorStream()) {
      if (errors == null) {
        return "";
      }
      return ErrorBody.summary(
          new String(errors.readNBytes(MAX_ERROR_BODY), StandardCharsets.UTF_8));
    } catch (IOException e) {
      return "";
    }
  }

  /** Breaks the connection; a read that waits on another thread fails. */
  void abort() {
    connection.disconnect();
  }

  /** Gives the connection back for the next request, if the body was read to its end. */
  @Override
  public void close() {
    try {
      InputStream body = isSuccess() ? connection.getInputStream() : connection.getErrorStream();
      if (body != null) {
        body.close();
      }
    } catch (IOException e) {
      connection.disconnect();
    }
  }
}
