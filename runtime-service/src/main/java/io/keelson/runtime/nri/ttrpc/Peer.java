package io.keelson.runtime.nri.ttrpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.keelson.proto.ttrpc.Request;
import io.keelson.proto.ttrpc.Response;
import io.keelson.proto.ttrpc.Status;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/**
 * The other end of a socket with two ttrpc connections: on the first one its services are called,
 * on the second one it calls ours. Safe for use by many threads.
 */
public final class Peer implements AutoCloseable {

  /** What the peer may call. */
  @FunctionalInterface
  public interface Service {
    /**
     * Answers one call, on a thread of its own.
     *
     * @param method {@code service/method}
     * @throws InvalidProtocolBufferException for a payload that is no such message
     */
    MessageLite answer(String method, ByteString payload)
        throws StatusException, InvalidProtocolBufferException;
  }

  private static final int CALLS_TO_PEER = 1;
  private static final int CALLS_FROM_PEER = 2;

  /** Calls of the peer that are answered at the same time; more are refused. */
  private static final int MAX_CALLS_FROM_PEER = 16;

  private final Trunk trunk;
  private final Map<Integer, CompletableFuture<Response>> waiting = new ConcurrentHashMap<>();
  private final CompletableFuture<IOException> gone = new CompletableFuture<>();
  private final Semaphore served = new Semaphore(MAX_CALLS_FROM_PEER);
  private final Object sending = new Object();
  private int nextStream = 1; // guarded by sending

  /**
   * Takes the socket over; {@link #open} begins to read from it.
   *
   * @param name of the threads
   */
  public Peer(SocketChannel socket, String name) {
    this.trunk = new Trunk(socket, name, this::closed);
  }

  /** From now on the peer's calls are answered and its answers are taken. */
  public void open(String name, Service service) {
    trunk.open(
        name,
        Map.<Integer, Consumer<Message>>of(
            CALLS_TO_PEER,
            this::answered,
            CALLS_FROM_PEER,
            message -> {
              if (message.type() == Message.REQUEST) {
                serve(name, service, message);
              }
            }));
  }

  /**
   * Calls the peer and waits for its answer. An interrupt does not end the waiting; the thread is
   * interrupted still when this returns.
   *
   * @param timeout also told to the peer
   * @throws StatusException if the peer answered so, or if the request is too long to be sent
   * @throws CallTimeoutException after {@code timeout}; an answer that comes later is ignored
   * @throws IOException if the connection is gone or the answer can't be read
   */
  public <A> A call(
      String service, String method, MessageLite request, Parser<A> answer, Duration timeout)
      throws IOException, StatusException {
    ByteString wrapped =
        Request.newBuilder()
            .setService(service)
            .setMethod(method)
            .setPayload(request.toByteString())
            .setTimeoutNano(timeout.toNanos())
            .build()
            .toByteString();
    if (wrapped.size() > Message.MAX_PAYLOAD) {
      throw new StatusException(
          StatusException.RESOURCE_EXHAUSTED, "the message has " + wrapped.size() + " bytes");
    }
    CompletableFuture<Response> response = new CompletableFuture<>();
    int stream;
    synchronized (sending) { // the peer wants streams in their order
      stream = nextStream;
      nextStream += 2;
      waiting.put(stream, response);
      trunk.send(
          CALLS_TO_PEER, new Message(stream, Message.REQUEST, wrapped.asReadOnlyByteBuffer()));
    }
    try {
      if (gone.isDone()) {
        throw gone.join();
      }
      Response received = await(response, method, timeout);
      if (received.getStatus().getCode() != 0) {
        throw new StatusException(
            received.getStatus().getCode(), received.getStatus().getMessage());
      }
      return answer.parseFrom(received.getPayload());
    } finally {
      waiting.remove(stream);
    }
  }

  private static Response await(
      CompletableFuture<Response> response, String method, Duration timeout) throws IOException {
    long deadline = System.nanoTime() + timeout.toNanos();
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return response.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (TimeoutException e) {
          throw new CallTimeoutException(
              "no answer to %s within %d ms".formatted(method, timeout.toMillis()));
        } catch (ExecutionException e) {
          throw e.getCause() instanceof IOException known ? known : new IOException(e.getCause());
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void answered(Message message) {
    CompletableFuture<Response> response = waiting.get(message.stream());
    if (response == null || message.type() != Message.RESPONSE) {
      return; // one who waited has given up
    }
    try {
      response.complete(Response.parseFrom(message.payload()));
    } catch (InvalidProtocolBufferException e) {
      response.completeExceptionally(e);
    }
  }

  private void serve(String name, Service service, Message message) {
    Request request;
    try {
      request = Request.parseFrom(message.payload());
    } catch (InvalidProtocolBufferException e) {
      respond(message.stream(), error(StatusException.INVALID_ARGUMENT, "no ttrpc request"));
      return;
    }
    if (!served.tryAcquire()) {
      respond(
          message.stream(),
          error(StatusException.RESOURCE_EXHAUSTED, "too many calls at the same time"));
      return;
    }
    Thread.ofVirtual()
        .name(name + "-" + request.getMethod())
        .start(
            () -> {
              try {
                respond(message.stream(), answer(service, request));
              } finally {
                served.release();
              }
            });
  }

  private static Response answer(Service service, Request request) {
    try {
      MessageLite answer =
          service.answer(request.getService() + "/" + request.getMethod(), request.getPayload());
      Response response = Response.newBuilder().setPayload(answer.toByteString()).build();
      return response.getSerializedSize() <= Message.MAX_PAYLOAD
          ? response
          : error(StatusException.RESOURCE_EXHAUSTED, "the answer is too long");
    } catch (StatusException e) {
      return error(e.code(), String.valueOf(e.getMessage()));
    } catch (InvalidProtocolBufferException e) {
      return error(StatusException.INVALID_ARGUMENT, "the payload is no such message");
    } catch (RuntimeException e) {
      return error(StatusException.INTERNAL, String.valueOf(e.getMessage()));
    }
  }

  private static Response error(int code, String message) {
    return Response.newBuilder()
        .setStatus(Status.newBuilder().setCode(code).setMessage(message))
        .build();
  }

  private void respond(int stream, Response response) {
    trunk.send(
        CALLS_FROM_PEER,
        new Message(
            stream, Message.RESPONSE, ByteBuffer.wrap(response.toByteArray()).asReadOnlyBuffer()));
  }

  private void closed(IOException reason) {
    gone.complete(reason);
    waiting.values().forEach(response -> response.completeExceptionally(reason));
  }

  /** Calls {@code action} with the reason when the connection is gone, at once if it is. */
  public void whenGone(Consumer<IOException> action) {
    var _ = gone.thenAccept(action);
  }

  /** Closes the connection; calls that wait end with {@code reason}. */
  public void close(IOException reason) {
    trunk.close(reason);
  }

  @Override
  public void close() {
    trunk.close();
  }
}
