package io.keelson.csi.driver;

import com.google.protobuf.Message;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;

/**
 * Nobody behind it sees a failure that repeats the secrets of its own request: neither messages nor
 * logs, records or causes of exceptions can have them. Answers pass as they are, for what they hold
 * is for the driver's next call. Safe for use by many threads.
 */
final class DiscreetCalls implements ClientInterceptor {

  @Override
  public <Q, A> ClientCall<Q, A> interceptCall(
      MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
    return new Call<>(next.newCall(method, options), options.getOption(Redaction.MORE));
  }

  private static final class Call<Q, A> extends SimpleForwardingClientCall<Q, A> {

    private final Redaction more;
    private volatile Redaction ofRequest = Redaction.NONE;

    Call(ClientCall<Q, A> call, Redaction more) {
      super(call);
      this.more = more;
    }

    @Override
    public void sendMessage(Q request) {
      ofRequest = Redaction.of((Message) request);
      super.sendMessage(request);
    }

    @Override
    public void start(Listener<A> listener, Metadata headers) {
      super.start(
          new SimpleForwardingClientCallListener<A>(listener) {
            @Override
            public void onClose(Status status, Metadata trailers) {
              String words = status.getDescription();
              super.onClose(
                  words == null ? status : status.withDescription(more.of(ofRequest.of(words))),
                  // Only the driver's words again, in other forms.
                  new Metadata());
            }
          },
          headers);
    }
  }
}
