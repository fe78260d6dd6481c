package io.keelson.runtime.server;

import com.google.protobuf.ByteString;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.keelson.proto.cri.v1.AttachRequest;
import io.keelson.proto.cri.v1.AttachResponse;
import io.keelson.proto.cri.v1.CheckpointContainerRequest;
import io.keelson.proto.cri.v1.CheckpointContainerResponse;
import io.keelson.proto.cri.v1.CheckpointPodRequest;
import io.keelson.proto.cri.v1.CheckpointPodResponse;
import io.keelson.proto.cri.v1.ContainerEventResponse;
import io.keelson.proto.cri.v1.ContainerStatsRequest;
import io.keelson.proto.cri.v1.ContainerStatsResponse;
import io.keelson.proto.cri.v1.ContainerStatusRequest;
import io.keelson.proto.cri.v1.ContainerStatusResponse;
import io.keelson.proto.cri.v1.CreateContainerRequest;
import io.keelson.proto.cri.v1.CreateContainerResponse;
import io.keelson.proto.cri.v1.ExecRequest;
import io.keelson.proto.cri.v1.ExecResponse;
import io.keelson.proto.cri.v1.ExecSyncRequest;
import io.keelson.proto.cri.v1.ExecSyncResponse;
import io.keelson.proto.cri.v1.GetEventsRequest;
import io.keelson.proto.cri.v1.ListContainerStatsRequest;
import io.keelson.proto.cri.v1.ListContainerStatsResponse;
import io.keelson.proto.cri.v1.ListContainersRequest;
import io.keelson.proto.cri.v1.ListContainersResponse;
import io.keelson.proto.cri.v1.ListMetricDescriptorsRequest;
import io.keelson.proto.cri.v1.ListMetricDescriptorsResponse;
import io.keelson.proto.cri.v1.ListPodSandboxMetricsRequest;
import io.keelson.proto.cri.v1.ListPodSandboxMetricsResponse;
import io.keelson.proto.cri.v1.ListPodSandboxRequest;
import io.keelson.proto.cri.v1.ListPodSandboxResponse;
import io.keelson.proto.cri.v1.ListPodSandboxStatsRequest;
import io.keelson.proto.cri.v1.ListPodSandboxStatsResponse;
import io.keelson.proto.cri.v1.PodSandboxStatsRequest;
import io.keelson.proto.cri.v1.PodSandboxStatsResponse;
import io.keelson.proto.cri.v1.PodSandboxStatusRequest;
import io.keelson.proto.cri.v1.PodSandboxStatusResponse;
import io.keelson.proto.cri.v1.PortForwardRequest;
import io.keelson.proto.cri.v1.PortForwardResponse;
import io.keelson.proto.cri.v1.RemoveContainerRequest;
import io.keelson.proto.cri.v1.RemoveContainerResponse;
import io.keelson.proto.cri.v1.RemovePodSandboxRequest;
import io.keelson.proto.cri.v1.RemovePodSandboxResponse;
import io.keelson.proto.cri.v1.ReopenContainerLogRequest;
import io.keelson.proto.cri.v1.ReopenContainerLogResponse;
import io.keelson.proto.cri.v1.RestorePodRequest;
import io.keelson.proto.cri.v1.RestorePodResponse;
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
import io.keelson.proto.cri.v1.StreamContainerStatsRequest;
import io.keelson.proto.cri.v1.StreamContainerStatsResponse;
import io.keelson.proto.cri.v1.StreamContainersRequest;
import io.keelson.proto.cri.v1.StreamContainersResponse;
import io.keelson.proto.cri.v1.StreamPodSandboxMetricsRequest;
import io.keelson.proto.cri.v1.StreamPodSandboxMetricsResponse;
import io.keelson.proto.cri.v1.StreamPodSandboxStatsRequest;
import io.keelson.proto.cri.v1.StreamPodSandboxStatsResponse;
import io.keelson.proto.cri.v1.StreamPodSandboxesRequest;
import io.keelson.proto.cri.v1.StreamPodSandboxesResponse;
import io.keelson.proto.cri.v1.UpdateContainerResourcesRequest;
import io.keelson.proto.cri.v1.UpdateContainerResourcesResponse;
import io.keelson.proto.cri.v1.UpdatePodSandboxResourcesRequest;
import io.keelson.proto.cri.v1.UpdatePodSandboxResourcesResponse;
import io.keelson.proto.cri.v1.UpdateRuntimeConfigRequest;
import io.keelson.proto.cri.v1.UpdateRuntimeConfigResponse;
import io.keelson.proto.cri.v1.VersionRequest;
import io.keelson.proto.cri.v1.VersionResponse;

/** CRI v1's RuntimeService, all of it: says which class answers which call. */
public final class CriRuntimeService extends RuntimeServiceImplBase {

  private final NodeCalls node;
  private final PodCalls pods;
  private final ContainerCalls containers;
  private final StreamingCalls streaming;
  private final EventCalls events;
  private final StatsCalls stats;
  private final CheckpointCalls checkpoints;

  public CriRuntimeService(
      NodeCalls node,
      PodCalls pods,
      ContainerCalls containers,
      StreamingCalls streaming,
      EventCalls events,
      StatsCalls stats,
      CheckpointCalls checkpoints) {
    this.node = node;
    this.pods = pods;
    this.containers = containers;
    this.streaming = streaming;
    this.events = events;
    this.stats = stats;
    this.checkpoints = checkpoints;
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
  public void updateRuntimeConfig(
      UpdateRuntimeConfigRequest request, StreamObserver<UpdateRuntimeConfigResponse> answers) {
    Answers.one(answers, () -> node.updateRuntimeConfig(request));
  }

  @Override
  public void updatePodSandboxResources(
      UpdatePodSandboxResourcesRequest request,
      StreamObserver<UpdatePodSandboxResourcesResponse> answers) {
    Answers.one(answers, () -> pods.update(request));
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
  public void exec(ExecRequest request, StreamObserver<ExecResponse> answers) {
    Answers.one(answers, () -> streaming.exec(request));
  }

  @Override
  public void attach(AttachRequest request, StreamObserver<AttachResponse> answers) {
    Answers.one(answers, () -> streaming.attach(request));
  }

  @Override
  public void portForward(PortForwardRequest request, StreamObserver<PortForwardResponse> answers) {
    Answers.one(answers, () -> streaming.portForward(request));
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

  @Override
  public void containerStats(
      ContainerStatsRequest request, StreamObserver<ContainerStatsResponse> answers) {
    Answers.one(answers, () -> stats.container(request));
  }

  @Override
  public void listContainerStats(
      ListContainerStatsRequest request, StreamObserver<ListContainerStatsResponse> answers) {
    Answers.one(answers, () -> stats.containers(request));
  }

  @Override
  public void podSandboxStats(
      PodSandboxStatsRequest request, StreamObserver<PodSandboxStatsResponse> answers) {
    Answers.one(answers, () -> stats.pod(request));
  }

  @Override
  public void listPodSandboxStats(
      ListPodSandboxStatsRequest request, StreamObserver<ListPodSandboxStatsResponse> answers) {
    Answers.one(answers, () -> stats.pods(request));
  }

  @Override
  public void streamPodSandboxes(
      StreamPodSandboxesRequest request, StreamObserver<StreamPodSandboxesResponse> answers) {
    Answers.chunks(
        answers,
        () -> pods.items(request.getFilter()),
        ByteString::size,
        chunk ->
            SerializedItems.answer(
                StreamPodSandboxesResponse.getDefaultInstance(),
                StreamPodSandboxesResponse.POD_SANDBOXES_FIELD_NUMBER,
                chunk));
  }

  @Override
  public void streamContainers(
      StreamContainersRequest request, StreamObserver<StreamContainersResponse> answers) {
    Answers.chunks(
        answers,
        () -> containers.items(request.getFilter()),
        ByteString::size,
        chunk ->
            SerializedItems.answer(
                StreamContainersResponse.getDefaultInstance(),
                StreamContainersResponse.CONTAINERS_FIELD_NUMBER,
                chunk));
  }

  @Override
  public void streamContainerStats(
      StreamContainerStatsRequest request, StreamObserver<StreamContainerStatsResponse> answers) {
    Answers.chunks(
        answers,
        () ->
            stats
                .containers(
                    ListContainerStatsRequest.newBuilder().setFilter(request.getFilter()).build())
                .getStatsList(),
        chunk -> StreamContainerStatsResponse.newBuilder().addAllContainerStats(chunk).build());
  }

  @Override
  public void streamPodSandboxStats(
      StreamPodSandboxStatsRequest request, StreamObserver<StreamPodSandboxStatsResponse> answers) {
    Answers.chunks(
        answers,
        () ->
            stats
                .pods(
                    ListPodSandboxStatsRequest.newBuilder().setFilter(request.getFilter()).build())
                .getStatsList(),
        chunk -> StreamPodSandboxStatsResponse.newBuilder().addAllPodSandboxStats(chunk).build());
  }

  @Override
  public void listMetricDescriptors(
      ListMetricDescriptorsRequest request, StreamObserver<ListMetricDescriptorsResponse> answers) {
    Answers.one(answers, stats::metricDescriptors);
  }

  @Override
  public void listPodSandboxMetrics(
      ListPodSandboxMetricsRequest request, StreamObserver<ListPodSandboxMetricsResponse> answers) {
    Answers.one(
        answers,
        () ->
            ListPodSandboxMetricsResponse.newBuilder()
                .addAllPodMetrics(stats.podMetrics())
                .build());
  }

  @Override
  public void streamPodSandboxMetrics(
      StreamPodSandboxMetricsRequest request,
      StreamObserver<StreamPodSandboxMetricsResponse> answers) {
    Answers.chunks(
        answers,
        stats::podMetrics,
        chunk ->
            StreamPodSandboxMetricsResponse.newBuilder().addAllPodSandboxMetrics(chunk).build());
  }

  @Override
  public void checkpointContainer(
      CheckpointContainerRequest request, StreamObserver<CheckpointContainerResponse> answers) {
    Answers.one(answers, () -> checkpoints.container(request));
  }

  @Override
  public void checkpointPod(
      CheckpointPodRequest request, StreamObserver<CheckpointPodResponse> answers) {
    Answers.one(answers, () -> checkpoints.pod(request));
  }

  @Override
  public void restorePod(RestorePodRequest request, StreamObserver<RestorePodResponse> answers) {
    Answers.one(answers, () -> checkpoints.restore(request));
  }
}
