package io.keelson.runtime.server;

import io.grpc.Context;
import io.keelson.image.request.Cancellation;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.CancellationException;

/** Tells work that the caller of the current call has gone. */
final class Cancellations {

  private Cancellations() {}

  /** Must be called on the thread of the call. */
  static Cancellation ofCurrentCall() {
    Cancellation cancellation = new Cancellation();
    Context.current().addListener(_ -> cancellation.cancel(), Runnable::run);
    return cancellation;
  }

  /**
   * Does work on the thread of the call, which is interrupted when the caller goes before its end.
   *
   * @throws CancellationException if that ended the work
   */
  static <T> T interrupting(Answers.Work<T> work) throws IOException {
    Context call = Context.current();
    Thread worker = Thread.currentThread();
    Context.CancellationListener listener = _ -> worker.interrupt();
    call.addListener(listener, Runnable::run);
    try {
      return work.run();
    } catch (InterruptedIOException e) {
      if (call.isCancelled()) {
        throw (CancellationException) new CancellationException(e.getMessage()).initCause(e);
      }
      throw e;
    } finally {
      call.removeListener(listener);
      boolean _ = Thread.interrupted(); // no business of what the thread does next
    }
  }
}
