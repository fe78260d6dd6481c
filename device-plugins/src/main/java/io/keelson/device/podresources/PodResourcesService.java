package io.keelson.device.podresources;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.keelson.device.allocation.Allocations;
import io.keelson.device.plugin.Device;
import io.keelson.device.plugin.PluginRegistry;
import io.keelson.device.plugin.Resource;
import io.keelson.proto.podresources.v1.AllocatableResourcesRequest;
import io.keelson.proto.podresources.v1.AllocatableResourcesResponse;
import io.keelson.proto.podresources.v1.ContainerDevices;
import io.keelson.proto.podresources.v1.ContainerResources;
import io.keelson.proto.podresources.v1.GetPodResourcesRequest;
import io.keelson.proto.podresources.v1.GetPodResourcesResponse;
import io.keelson.proto.podresources.v1.ListPodResourcesRequest;
import io.keelson.proto.podresources.v1.ListPodResourcesResponse;
import io.keelson.proto.podresources.v1.NUMANode;
import io.keelson.proto.podresources.v1.PodResources;
import io.keelson.proto.podresources.v1.PodResourcesListerGrpc;
import io.keelson.proto.podresources.v1.TopologyInfo;
import io.keelson.proto.record.v1.DeviceAllocation;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Answers which pod holds which device, from memory. Pods without devices of ours are not told: a
 * kubelet that gave them devices tells of them itself.
 */
public final class PodResourcesService extends PodResourcesListerGrpc.PodResourcesListerImplBase {

  private final PluginRegistry registry;
  private final Allocations allocations;

  public PodResourcesService(PluginRegistry registry, Allocations allocations) {
    this.registry = registry;
    this.allocations = allocations;
  }

  @Override
  public void list(
      ListPodResourcesRequest request, StreamObserver<ListPodResourcesResponse> observer) {
    observer.onNext(ListPodResourcesResponse.newBuilder().addAllPodResources(pods()).build());
    observer.onCompleted();
  }

  @Override
  public void get(
      GetPodResourcesRequest request, StreamObserver<GetPodResourcesResponse> observer) {
    for (PodResources pod : pods()) {
      if (pod.getName().equals(request.getPodName())
          && pod.getNamespace().equals(request.getPodNamespace())) {
        observer.onNext(GetPodResourcesResponse.newBuilder().setPodResources(pod).build());
        observer.onCompleted();
        return;
      }
    }
    observer.onError(
        Status.NOT_FOUND
            .withDescription(
                "no device is held by pod %s/%s"
                    .formatted(request.getPodNamespace(), request.getPodName()))
            .asRuntimeException());
  }

  @Override
  public void getAllocatableResources(
      AllocatableResourcesRequest request, StreamObserver<AllocatableResourcesResponse> observer) {
    AllocatableResourcesResponse.Builder answer = AllocatableResourcesResponse.newBuilder();
    for (Resource resource : registry.resources()) {
      for (Device device : resource.devices().values()) {
        if (resource.isUsable(device.id())) {
          answer.addDevices(devices(resource.name(), List.of(device.id()), device.numaNodes()));
        }
      }
    }
    observer.onNext(answer.build());
    observer.onCompleted();
  }

  private List<PodResources> pods() {
    TreeMap<String, List<DeviceAllocation>> byPod =
        allocations.all().stream()
            .collect(
                Collectors.groupingBy(
                    DeviceAllocation::getPodUid, TreeMap::new, Collectors.toList()));
    return byPod.values().stream().map(PodResourcesService::pod).toList();
  }

  private static PodResources pod(List<DeviceAllocation> held) {
    DeviceAllocation first = held.getFirst();
    PodResources.Builder pod =
        PodResources.newBuilder().setName(first.getPodName()).setNamespace(first.getPodNamespace());
    TreeMap<String, List<DeviceAllocation>> byContainer =
        held.stream()
            .sorted(Comparator.comparing(DeviceAllocation::getResource))
            .collect(
                Collectors.groupingBy(
                    DeviceAllocation::getContainer, TreeMap::new, Collectors.toList()));
    byContainer.forEach(
        (name, allocations) -> {
          ContainerResources.Builder container = ContainerResources.newBuilder().setName(name);
          for (DeviceAllocation allocation : allocations) {
            container.addDevices(
                devices(
                    allocation.getResource(),
                    allocation.getDeviceIdsList(),
                    allocation.getNumaNodesList()));
          }
          pod.addContainers(container);
        });
    return pod.build();
  }

  private static ContainerDevices devices(String resource, List<String> ids, List<Long> nodes) {
    ContainerDevices.Builder devices =
        ContainerDevices.newBuilder().setResourceName(resource).addAllDeviceIds(ids);
    if (!nodes.isEmpty()) {
      TopologyInfo.Builder topology = TopologyInfo.newBuilder();
      nodes.forEach(node -> topology.addNodes(NUMANode.newBuilder().setID(node)));
      devices.setTopology(topology);
    }
    return devices.build();
  }
}
