package io.keelson.integration.harness;

import io.grpc.ManagedChannel;
import io.keelson.proto.podresources.v1.AllocatableResourcesRequest;
import io.keelson.proto.podresources.v1.ContainerDevices;
import io.keelson.proto.podresources.v1.GetPodResourcesRequest;
import io.keelson.proto.podresources.v1.ListPodResourcesRequest;
import io.keelson.proto.podresources.v1.PodResources;
import io.keelson.proto.podresources.v1.PodResourcesListerGrpc;
import io.keelson.proto.podresources.v1.PodResourcesListerGrpc.PodResourcesListerBlockingStub;
import io.keelson.sandbox.rpc.UnixChannels;
import java.util.List;

/** Who asks which pod holds which device, as GPU exporters do. */
public final class PodMonitor implements AutoCloseable {

  private final UnixChannels channels = new UnixChannels();
  private final ManagedChannel channel;
  private final PodResourcesListerBlockingStub stub;

  private PodMonitor(TestNode node) {
    channel = channels.open(node.state().resolve("pod-resources/kubelet.sock"));
    stub = PodResourcesListerGrpc.newBlockingStub(channel);
  }

  public static PodMonitor of(TestNode node) {
    return new PodMonitor(node);
  }

  /** Of a pod in the tests' namespace; an error if it holds nothing. */
  public PodResources pod(String name) {
    return stub.get(
            GetPodResourcesRequest.newBuilder().setPodName(name).setPodNamespace("it").build())
        .getPodResources();
  }

  public List<PodResources> pods() {
    return stub.list(ListPodResourcesRequest.getDefaultInstance()).getPodResourcesList();
  }

  /** All that could be given away if nobody held it. */
  public List<ContainerDevices> allocatable() {
    return stub.getAllocatableResources(AllocatableResourcesRequest.getDefaultInstance())
        .getDevicesList();
  }

  @Override
  public void close() {
    channel.shutdownNow();
    channels.close();
  }
}
