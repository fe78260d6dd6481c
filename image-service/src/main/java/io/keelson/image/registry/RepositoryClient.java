package io.keelson.image.registry;

import io.keelson.image.manifest.MediaTypes;
import io.keelson.image.reference.Digest;
import io.keelson.image.registry.hosts.Capability;
import io.keelson.image.request.Cancellation;
import io.keelson.image.source.CorruptContentException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.error.OperationFailedException;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import javax.net.ssl.SSLException;

/**
 * The API of one repository: asks again where that may help, shows who asks, and says in the errors
 * of this project what the registry said. Safe for use by many threads.
 */
final class RepositoryClient {

  /**
   * How messages begin by which a kubelet knows that the registry was the trouble (CRI API,
   * errors).
   */
  static final String UNAVAILABLE = "RegistryUnavailable: ";

  private final RegistryHost host;
  private final String repository;
  private final HttpTransport transport;
  private final Authorization authorization;
  private final RetryPolicy retries;

  RepositoryClient(
      RegistryHost host,
      String repository,
      HttpTransport transport,
      Authorization authorization,
      RetryPolicy retries) {
    this.host = host;
    this.repository = repository;
    this.transport = transport;
    this.authorization = authorization;
    this.retries = retries;
  }

  boolean can(Capability capability) {
    return host.capabilities().contains(capability);
  }

  /** Root of the API, for messages. */
  String address() {
    return host.api().toString();
  }

  /** How long a connection may give nothing. */
  Duration stallTimeout() {
    return transport.stallTimeout();
  }

  RetryPolicy retries() {
    return retries;
  }

  String name() {
    return host.domain() + "/" + repository;
  }

  /** A manifest or index, by tag or digest; not checked. */
  byte[] manifest(String identifier, int max, Cancellation cancellation) throws IOException {
    return whole(
        host.manifest(repository, identifier),
        Map.of("Accept", MediaTypes.ACCEPTED_MANIFESTS),
        name() + (identifier.contains(":") ? "@" : ":") + identifier,
        max,
        cancellation);
  }

  /** A small blob as a whole; not checked. */
  byte[] blob(Digest digest, int max, Cancellation cancellation) throws IOException {
    return whole(
        host.blob(repository, digest.toString()),
        Map.of(),
        "blob " + digest + " of " + name(),
        max,
        cancellation);
  }

  /**
   * A blob's bytes from {@code offset} on, if the server can; it answers 206 then, and 200 if not.
   *
   * @param end the first byte that is not wanted, -1 if all are
   */
  HttpReply openBlob(Digest digest, long offset, long end, Cancellation cancellation)
      throws IOException {
    String range = "bytes=" + offset + "-" + (end < 0 ? "" : end - 1);
    return request(
        host.blob(repository, digest.toString()),
        offset == 0 && end < 0 ? Map.of() : Map.of("Range", range),
        "blob " + digest + " of " + name(),
        cancellation);
  }

  private byte[] whole(
      URI uri, Map<String, String> headers, String what, int max, Cancellation cancellation)
      throws IOException {
    for (int made = 1; ; made++) {
      try (HttpReply reply = request(uri, headers, what, cancellation)) {
        byte[] body = reply.body(max);
        if (reply.length() >= 0 && body.length != reply.length()) {
          throw new IOException(
              "%s: %d of %d bytes came".formatted(what, body.length, reply.length()));
        }
        return body;
      } catch (CorruptContentException e) {
        throw e;
      } catch (IOException e) {
        cancellation.check();
        if (!retries.mayRetry(made)) {
          throw unreachable(what, e);
        }
        retries.pause(made, e, cancellation);
      }
    }
  }

  /** One request with its retries; the answer is a success. */
  private HttpReply request(
      URI uri, Map<String, String> headers, String what, Cancellation cancellation)
      throws IOException {
    boolean challenged = false;
    for (int made = 1; ; made++) {
      cancellation.check();
      String shown = authorization.header();
      HttpReply reply;
      try {
        reply = transport.get(uri, with(headers, shown), cancellation);
      } catch (SSLException e) {
        // Asking again does not make a certificate better.
        throw unreachable(what, e);
      } catch (IOException e) {
        cancellation.check();
        if (!retries.mayRetry(made)) {
          throw unreachable(what, e);
        }
        retries.pause(made, e, cancellation);
        continue;
      }
      if (reply.isSuccess()) {
        return reply;
      }
      try (reply) {
        if (reply.status() == 401 && !challenged) {
          challenged = true;
          if (authorization.answer(
              shown, Challenge.parse(reply.headers("WWW-Authenticate")), cancellation)) {
            made--;
            continue;
          }
        }
        if (!RetryPolicy.isPassing(reply.status()) || !retries.mayRetry(made)) {
          throw refused(what, reply);
        }
        retries.pause(made, reply.header("Retry-After"), cancellation);
      }
    }
  }

  private IOException refused(String what, HttpReply reply) {
    String said = reply.errorText();
    String text = what + ": HTTP " + reply.status() + (said.isEmpty() ? "" : " (" + said + ")");
    if (reply.status() == 416) {
      return new CorruptContentException(what + " has fewer bytes than its descriptor says");
    }
    if (reply.status() == 404) {
      throw new NotFoundException("not found in the registry: " + text);
    }
    if (reply.status() == 401 || reply.status() == 403) {
      throw new OperationFailedException(
          "registry " + host.authority() + " refuses access to " + text);
    }
    if (reply.status() == 407) {
      throw new OperationFailedException(
          UNAVAILABLE + "the proxy wants another name or password: " + text);
    }
    if (RetryPolicy.isPassing(reply.status())) {
      throw new OperationFailedException(UNAVAILABLE + text);
    }
    throw new OperationFailedException("registry " + host.authority() + " answers for " + text);
  }

  /** What a caller is told when the registry can't be reached or does not go on. */
  OperationFailedException unreachable(String what, IOException cause) {
    return new OperationFailedException(
        "%s%s at %s: %s".formatted(UNAVAILABLE, what, host.api(), words(cause)), cause);
  }

  private static String words(IOException cause) {
    // Some exceptions of the JDK have a host for their whole message, or none.
    String kind = cause.getClass().getSimpleName().replaceAll("(IO)?Exception$", "");
    return kind.isEmpty() ? String.valueOf(cause.getMessage()) : kind + ": " + cause.getMessage();
  }

  private Map<String, String> with(Map<String, String> headers, String authorization) {
    if (authorization.isEmpty() && host.headers().isEmpty()) {
      return headers;
    }
    Map<String, String> all = new HashMap<>(host.headers());
    all.putAll(headers);
    if (!authorization.isEmpty()) {
      all.put("Authorization", authorization);
    }
    return all;
  }
}
