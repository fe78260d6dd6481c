package io.keelson.runtime.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.keelson.proto.cri.v1.ContainerStatusRequest;
import io.keelson.proto.cri.v1.ContainerStatusResponse;
import io.keelson.proto.cri.v1.RuntimeServiceGrpc;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CallThreadsTest {

  private final List<Runnable> handedOver = new ArrayList<>();
  private final List<String> heard = new ArrayList<>();

  @Test
  void aStatusFromMemoryIsAnsweredWhereItWasReadAndOneThatReadsFilesIsNot() {
    call(false);
    assertThat(heard).containsExactly("message", "half close");
    assertThat(handedOver).isEmpty();

    heard.clear();
    call(true);
    assertThat(heard).isEmpty();
    handedOver.forEach(Runnable::run);
    assertThat(heard).containsExactly("message", "half close");
  }

  private void call(boolean verbose) {
    ServerCall.Listener<ContainerStatusRequest> listener =
        new CallThreads(handedOver::add)
            .interceptCall(new Call(), new Metadata(), (_, _) -> new Heard());
    listener.onMessage(ContainerStatusRequest.newBuilder().setVerbose(verbose).build());
    listener.onHalfClose();
  }

  private final class Heard extends ServerCall.Listener<ContainerStatusRequest> {
    @Override
    public void onMessage(ContainerStatusRequest message) {
      heard.add("message");
    }

    @Override
    public void onHalfClose() {
      heard.add("half close");
    }
  }

  private static final class Call
      extends ServerCall<ContainerStatusRequest, ContainerStatusResponse> {
    @Override
    public void request(int messages) {}

    @Override
    public void sendHeaders(Metadata headers) {}

    @Override
    public void sendMessage(ContainerStatusResponse message) {}

    @Override
    public void close(Status status, Metadata trailers) {}

    @Override
    public boolean isCancelled() {
      return false;
    }

    @Override
    public MethodDescriptor<ContainerStatusRequest, ContainerStatusResponse> getMethodDescriptor() {
      return RuntimeServiceGrpc.getContainerStatusMethod();
    }
  }
}
