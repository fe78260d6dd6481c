package io.keelson.runtime.server;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.keelson.proto.cri.v1.ContainerEventResponse;
import io.keelson.proto.cri.v1.ContainerStatusRequest;
import io.keelson.proto.cri.v1.ContainerStatusResponse;
import io.keelson.proto.cri.v1.CreateContainerRequest;
import io.keelson.proto.cri.v1.CreateContainerResponse;
import io.keelson.proto.cri.v1.ExecSyncRequest;
import io.keelson.proto.cri.v1.ExecSyncResponse;
import io.keelson.proto.cri.v1.GetEventsRequest;
import io.keelson.proto.cri.v1.ListContainersRequest;
import io.keelson.proto.cri.v1.ListContainersResponse;
import io.keelson.proto.cri.v1.ListPodSandboxRequest;
import io.keelson.proto.cri.v1.ListPodSandboxResponse;
import io.keelson.proto.cri.v1.PodSandboxStatusRequest;
import io.keelson.proto.cri.v1.PodSandboxStatusResponse;
import io.keelson.proto.cri.v1.RemoveContainerRequest;
import io.keelson.proto.cri.v1.RemoveContainerResponse;
import io.keelson.proto.cri.v1.RemovePodSandboxRequest;
import io.keelson.proto.cri.v1.RemovePodSandboxResponse;
import io.keelson.proto.cri.v1.ReopenContainerLogRequest;
import io.keelson.proto.cri.v1.ReopenContainerLogResponse;
import io.keelson.proto.cri.v1.RunPodSandboxRequest;
import io.keelson.proto.cri.v1.RunPodSandboxResponse;
import io.keelson.proto.cri.v1.RuntimeConfigRequest;
import io.keelson.proto.cri.v1.RuntimeConfigResponse;
import io.keelson.proto.cri.v1.RuntimeServiceGrpc.RuntimeServiceImplBase;
import io.keelson.proto.cri.v1.StartContainerRequest;
import io.keelson.proto.cri.v1.StartContainerResponse;
import io.keelson.proto.cri.v1.StatusRequest;
import io.keelson.proto.cri.v1.StatusResponse;
import io.keelson.proto.cri.v1.StopContainerRequest;
import io.keelson.proto.cri.v1.StopContainerResponse;
import io.keelson.proto.cri.v1.StopPodSandboxRequest;
import io.keelson.proto.cri.v1.StopPodSandboxResponse;
import io.keelson.proto.cri.v1.UpdateContainerResourcesRequest;
import io.keelson.proto.cri.v1.UpdateContainerResourcesResponse;
import io.keelson.proto.cri.v1.VersionRequest;
import io.keelson.proto.cri.v1.VersionResponse;

/**
 * CRI v1's RuntimeService: says which class answers which call. What is not here yet is answered by
 * the generated base class: UNIMPLEMENTED.
 */
public final class CriRuntimeService extends RuntimeServiceImplBase {

  private final NodeCalls node;
  private final PodCalls pods;
  private final ContainerCalls containers;
  private final EventCalls events;

  public CriRuntimeService(
      NodeCalls node, PodCalls pods, ContainerCalls containers, EventCalls events) {
    this.node = node;
    this.pods = pods;
    this.containers = containers;
    this.events = events;
  }

  @Override
  public void version(VersionRequest request, StreamObserver<VersionResponse> answers) {
    Answers.one(answers, () -> node.version());
  }

  @Override
  public void status(StatusRequest request, StreamObserver<StatusResponse> answers) {
    Answers.one(answers, () -> node.status(request));
  }

  @Override
  public void runtimeConfig(
      RuntimeConfigRequest request, StreamObserver<RuntimeConfigResponse> answers) {
    Answers.one(answers, () -> node.runtimeConfig());
  }

  @Override
  public void runPodSandbox(
      RunPodSandboxRequest request, StreamObserver<RunPodSandboxResponse> answers) {
    Answers.one(answers, () -> pods.run(request));
  }

  @Override
  public void stopPodSandbox(
      StopPodSandboxRequest request, StreamObserver<StopPodSandboxResponse> answers) {
    Answers.one(answers, () -> pods.stop(request));
  }

  @Override
  public void removePodSandbox(
      RemovePodSandboxRequest request, StreamObserver<RemovePodSandboxResponse> answers) {
    Answers.one(answers, () -> pods.remove(request));
  }

  @Override
  public void podSandboxStatus(
      PodSandboxStatusRequest request, StreamObserver<PodSandboxStatusResponse> answers) {
    Answers.one(answers, () -> pods.status(request));
  }

  @Override
  public void listPodSandbox(
      ListPodSandboxRequest request, StreamObserver<ListPodSandboxResponse> answers) {
    Answers.one(answers, () -> pods.list(request));
  }

  @Override
  public void getContainerEvents(
      GetEventsRequest request, StreamObserver<ContainerEventResponse> answers) {
    events.stream((ServerCallStreamObserver<ContainerEventResponse>) answers);
  }

  @Override
  public void createContainer(
      CreateContainerRequest request, StreamObserver<CreateContainerResponse> answers) {
    Answers.one(answers, () -> containers.create(request));
  }

  @Override
  public void startContainer(
      StartContainerRequest request, StreamObserver<StartContainerResponse> answers) {
    Answers.one(answers, () -> containers.start(request));
  }

  @Override
  public void stopContainer(
      StopContainerRequest request, StreamObserver<StopContainerResponse> answers) {
    Answers.one(answers, () -> containers.stop(request));
  }

  @Override
  public void removeContainer(
      RemoveContainerRequest request, StreamObserver<RemoveContainerResponse> answers) {
    Answers.one(answers, () -> containers.remove(request));
  }

  @Override
  public void containerStatus(
      ContainerStatusRequest request, StreamObserver<ContainerStatusResponse> answers) {
    Answers.one(answers, () -> containers.status(request));
  }

  @Override
  public void listContainers(
      ListContainersRequest request, StreamObserver<ListContainersResponse> answers) {
    Answers.one(answers, () -> containers.list(request));
  }

  @Override
  public void execSync(ExecSyncRequest request, StreamObserver<ExecSyncResponse> answers) {
    Answers.one(answers, () -> containers.execSync(request));
  }

  @Override
  public void reopenContainerLog(
      ReopenContainerLogRequest request, StreamObserver<ReopenContainerLogResponse> answers) {
    Answers.one(answers, () -> containers.reopenLog(request));
  }

  @Override
  public void updateContainerResources(
      UpdateContainerResourcesRequest request,
      StreamObserver<UpdateContainerResourcesResponse> answers) {
    Answers.one(answers, () -> containers.update(request));
  }
}
