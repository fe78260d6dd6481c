package io.keelson.runtime.server;

import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * Answers a call with what a piece of work gives; exceptions go on to the {@link CallInterceptor}.
 */
final class Answers {

  private Answers() {}

  /** What a handler does for a call. */
  interface Work<T> {
    T run() throws IOException;
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
