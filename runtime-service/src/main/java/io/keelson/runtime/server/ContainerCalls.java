package io.keelson.runtime.server;

import com.google.protobuf.ByteString;
import io.keelson.proto.cri.v1.ContainerFilter;
import io.keelson.proto.cri.v1.ContainerStatusRequest;
import io.keelson.proto.cri.v1.ContainerStatusResponse;
import io.keelson.proto.cri.v1.CreateContainerRequest;
import io.keelson.proto.cri.v1.CreateContainerResponse;
import io.keelson.proto.cri.v1.ExecSyncRequest;
import io.keelson.proto.cri.v1.ExecSyncResponse;
import io.keelson.proto.cri.v1.ListContainersRequest;
import io.keelson.proto.cri.v1.ListContainersResponse;
import io.keelson.proto.cri.v1.RemoveContainerRequest;
import io.keelson.proto.cri.v1.RemoveContainerResponse;
import io.keelson.proto.cri.v1.ReopenContainerLogRequest;
import io.keelson.proto.cri.v1.ReopenContainerLogResponse;
import io.keelson.proto.cri.v1.StartContainerRequest;
import io.keelson.proto.cri.v1.StartContainerResponse;
import io.keelson.proto.cri.v1.StopContainerRequest;
import io.keelson.proto.cri.v1.StopContainerResponse;
import io.keelson.proto.cri.v1.UpdateContainerResourcesRequest;
import io.keelson.proto.cri.v1.UpdateContainerResourcesResponse;
import io.keelson.sandbox.Containers;
import io.keelson.sandbox.error.InvalidRequestException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;

/** The calls of RuntimeService about containers. */
public final class ContainerCalls {

  private final Containers containers;

  public ContainerCalls(Containers containers) {
    this.containers = containers;
  }

  CreateContainerResponse create(CreateContainerRequest request) throws IOException {
    String id = containers.create(Requests.podId(request.getPodSandboxId()), request.getConfig());
    return CreateContainerResponse.newBuilder().setContainerId(id).build();
  }

  StartContainerResponse start(StartContainerRequest request) throws IOException {
    containers.start(Requests.containerId(request.getContainerId()));
    return StartContainerResponse.getDefaultInstance();
  }

  StopContainerResponse stop(StopContainerRequest request) throws IOException {
    containers.stop(Requests.containerId(request.getContainerId()), seconds(request.getTimeout()));
    return StopContainerResponse.getDefaultInstance();
  }

  RemoveContainerResponse remove(RemoveContainerRequest request) throws IOException {
    containers.remove(Requests.containerId(request.getContainerId()));
    return RemoveContainerResponse.getDefaultInstance();
  }

  ContainerStatusResponse status(ContainerStatusRequest request) {
    return containers.status(Requests.containerId(request.getContainerId()), request.getVerbose());
  }

  ListContainersResponse list(ListContainersRequest request) {
    return SerializedItems.answer(
        ListContainersResponse.getDefaultInstance(),
        ListContainersResponse.CONTAINERS_FIELD_NUMBER,
        items(request.getFilter()));
  }

  /** Each a serialised {@code Container}. */
  List<ByteString> items(ContainerFilter filter) {
    return containers.listSerialized(filter);
  }

  ExecSyncResponse execSync(ExecSyncRequest request) throws IOException {
    String id = Requests.containerId(request.getContainerId());
    Duration timeout = seconds(request.getTimeout());
    return Cancellations.interrupting(() -> containers.execSync(id, request.getCmdList(), timeout));
  }

  ReopenContainerLogResponse reopenLog(ReopenContainerLogRequest request) throws IOException {
    containers.reopenLog(Requests.containerId(request.getContainerId()));
    return ReopenContainerLogResponse.getDefaultInstance();
  }

  UpdateContainerResourcesResponse update(UpdateContainerResourcesRequest request)
      throws IOException {
    containers.update(Requests.containerId(request.getContainerId()), request.getLinux());
    return UpdateContainerResourcesResponse.getDefaultInstance();
  }

  private static Duration seconds(long timeout) {
    if (timeout < 0) {
      throw new InvalidRequestException("the timeout must not be negative: " + timeout + " s");
    }
    return Duration.ofSeconds(timeout);
  }
}
