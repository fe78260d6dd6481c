package io.keelson.runtime.server;

import com.google.protobuf.MessageLite;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ToIntFunction;

/**
 * Answers a call with what a piece of work gives; exceptions go on to the {@link CallInterceptor}.
 */
final class Answers {

  private Answers() {}

  /** What a handler does for a call. */
  interface Work<T> {
    T run() throws IOException;
  }

  /** What is well below the 4 MiB that a client takes by default. */
  private static final int CHUNK_BYTES = 1024 * 1024;

  /**
   * Answers with a list in messages of a size that every client takes, however long the list is.
   *
   * @param toMessage makes the message of some of the things
   */
  static <E extends MessageLite, T> void chunks(
      StreamObserver<T> observer, Work<List<E>> work, Function<List<E>, T> toMessage) {
    chunks(observer, work, MessageLite::getSerializedSize, toMessage);
  }

  /**
   * The same for things of any kind.
   *
   * @param size of one thing in bytes
   */
  static <E, T> void chunks(
      StreamObserver<T> observer,
      Work<List<E>> work,
      ToIntFunction<E> size,
      Function<List<E>, T> toMessage) {
    List<E> all;
    try {
      all = work.run();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    int from = 0;
    long bytes = 0;
    for (int i = 0; i < all.size(); i++) {
      int next = size.applyAsInt(all.get(i));
      if (i > from && bytes + next > CHUNK_BYTES) {
        observer.onNext(toMessage.apply(all.subList(from, i)));
        from = i;
        bytes = 0;
      }
      bytes += next;
    }
    if (from < all.size()) {
      observer.onNext(toMessage.apply(all.subList(from, all.size())));
    }
    observer.onCompleted();
  }

  /** What a handler does for a call that it answers bit by bit. */
  interface Sending<T> {
    void run(Consumer<T> sink) throws IOException;
  }

  static <T> void many(StreamObserver<T> observer, Sending<T> work) {
    try {
      work.run(observer::onNext);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    observer.onCompleted();
  }

  static <T> void one(StreamObserver<T> observer, Work<T> work) {
    T answer;
    try {
      answer = work.run();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    observer.onNext(answer);
    observer.onCompleted();
  }
}
