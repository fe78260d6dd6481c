package io.keelson.runtime.server;

import com.google.common.util.concurrent.MoreExecutors;
import io.grpc.Context;
import io.grpc.ForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.keelson.proto.cri.v1.ContainerStatusRequest;
import io.keelson.proto.cri.v1.RuntimeServiceGrpc;
import java.util.Set;
import java.util.concurrent.Executor;

/**
 * Gives each call a thread of its own, on which it may block. Calls that are answered from memory
 * get none: they are over before a thread would have woken up, so the thread that reads the socket
 * answers them. A status with all that people want to know reads files, and is none of these.
 */
final class CallThreads implements ServerInterceptor {

  private static final Set<String> ANSWERED_FROM_MEMORY =
      Set.of(
          RuntimeServiceGrpc.getVersionMethod().getFullMethodName(),
          RuntimeServiceGrpc.getPodSandboxStatusMethod().getFullMethodName(),
          RuntimeServiceGrpc.getContainerStatusMethod().getFullMethodName(),
          RuntimeServiceGrpc.getListPodSandboxMethod().getFullMethodName(),
          RuntimeServiceGrpc.getListContainersMethod().getFullMethodName());

  private final Executor threads;

  /**
   * @param threads starts a thread for each task
   */
  CallThreads(Executor threads) {
    this.threads = threads;
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    ServerCall.Listener<Q> listener = next.startCall(call, headers);
    return ANSWERED_FROM_MEMORY.contains(call.getMethodDescriptor().getFullMethodName())
        ? new ByRequest<>(listener)
        : onThread(listener);
  }

  private <Q> ServerCall.Listener<Q> onThread(ServerCall.Listener<Q> listener) {
    return new OnThread<>(listener, MoreExecutors.newSequentialExecutor(threads));
  }

  private static boolean readsFiles(Object request) {
    return request instanceof ContainerStatusRequest status && status.getVerbose();
  }

  /** A call gets its thread when its request shows that it needs one. */
  private final class ByRequest<Q> extends ForwardingServerCallListener<Q> {

    private ServerCall.Listener<Q> listener;

    ByRequest(ServerCall.Listener<Q> listener) {
      this.listener = listener;
    }

    @Override
    protected ServerCall.Listener<Q> delegate() {
      return listener;
    }

    @Override
    public void onMessage(Q message) {
      if (readsFiles(message)) {
        listener = onThread(listener);
      }
      super.onMessage(message);
    }
  }

  /** Tells a listener what happens in its call, one thing after the other. */
  private static final class OnThread<Q> extends ServerCall.Listener<Q> {

    private final ServerCall.Listener<Q> listener;
    private final Executor inOrder;
    private final Context context = Context.current();

    OnThread(ServerCall.Listener<Q> listener, Executor inOrder) {
      this.listener = listener;
      this.inOrder = inOrder;
    }

    @Override
    public void onMessage(Q message) {
      inOrder.execute(context.wrap(() -> listener.onMessage(message)));
    }

    @Override
    public void onHalfClose() {
      inOrder.execute(context.wrap(listener::onHalfClose));
    }

    @Override
    public void onCancel() {
      inOrder.execute(context.wrap(listener::onCancel));
    }

    @Override
    public void onComplete() {
      inOrder.execute(context.wrap(listener::onComplete));
    }

    @Override
    public void onReady() {
      inOrder.execute(context.wrap(listener::onReady));
    }
  }
}
