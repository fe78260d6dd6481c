package io.keelson.runtime.server;

import io.grpc.Context;
import io.keelson.image.Cancellation;

/** Tells work that takes a {@link Cancellation} when the caller of the current call has gone. */
final class Cancellations {

  private Cancellations() {}

  /** Must be called on the thread of the call. */
  static Cancellation ofCurrentCall() {
    Cancellation cancellation = new Cancellation();
    Context.current().addListener(_ -> cancellation.cancel(), Runnable::run);
    return cancellation;
  }
}
