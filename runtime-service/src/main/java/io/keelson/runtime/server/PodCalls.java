package io.keelson.runtime.server;

import com.google.protobuf.ByteString;
import io.keelson.proto.cri.v1.ListPodSandboxRequest;
import io.keelson.proto.cri.v1.ListPodSandboxResponse;
import io.keelson.proto.cri.v1.PodSandboxFilter;
import io.keelson.proto.cri.v1.PodSandboxStatusRequest;
import io.keelson.proto.cri.v1.PodSandboxStatusResponse;
import io.keelson.proto.cri.v1.RemovePodSandboxRequest;
import io.keelson.proto.cri.v1.RemovePodSandboxResponse;
import io.keelson.proto.cri.v1.RunPodSandboxRequest;
import io.keelson.proto.cri.v1.RunPodSandboxResponse;
import io.keelson.proto.cri.v1.StopPodSandboxRequest;
import io.keelson.proto.cri.v1.StopPodSandboxResponse;
import io.keelson.proto.cri.v1.UpdatePodSandboxResourcesRequest;
import io.keelson.proto.cri.v1.UpdatePodSandboxResourcesResponse;
import io.keelson.sandbox.Pods;
import java.io.IOException;
import java.util.List;

/** The calls of RuntimeService about pod sandboxes. */
public final class PodCalls {

  private final Pods pods;

  public PodCalls(Pods pods) {
    this.pods = pods;
  }

  RunPodSandboxResponse run(RunPodSandboxRequest request) throws IOException {
    String id = pods.run(request.getConfig(), request.getRuntimeHandler());
    return RunPodSandboxResponse.newBuilder().setPodSandboxId(id).build();
  }

  UpdatePodSandboxResourcesResponse update(UpdatePodSandboxResourcesRequest request)
      throws IOException {
    pods.update(
        Requests.podId(request.getPodSandboxId()), request.getOverhead(), request.getResources());
    return UpdatePodSandboxResourcesResponse.getDefaultInstance();
  }

  StopPodSandboxResponse stop(StopPodSandboxRequest request) throws IOException {
    pods.stop(Requests.podId(request.getPodSandboxId()));
    return StopPodSandboxResponse.getDefaultInstance();
  }

  RemovePodSandboxResponse remove(RemovePodSandboxRequest request) throws IOException {
    pods.remove(Requests.podId(request.getPodSandboxId()));
    return RemovePodSandboxResponse.getDefaultInstance();
  }

  PodSandboxStatusResponse status(PodSandboxStatusRequest request) {
    return pods.status(Requests.podId(request.getPodSandboxId()), request.getVerbose());
  }

  ListPodSandboxResponse list(ListPodSandboxRequest request) {
    return SerializedItems.answer(
        ListPodSandboxResponse.getDefaultInstance(),
        ListPodSandboxResponse.ITEMS_FIELD_NUMBER,
        items(request.getFilter()));
  }

  /** Each a serialised {@code PodSandbox}. */
  List<ByteString> items(PodSandboxFilter filter) {
    return pods.listSerialized(filter);
  }
}
