package io.keelson.runtime.server;

import io.grpc.stub.StreamObserver;
import io.keelson.device.Inventory;
import io.keelson.device.NodeDevices;
import io.keelson.device.allocation.Claimant;
import io.keelson.device.cdi.CdiFolders;
import io.keelson.device.plugin.Device;
import io.keelson.proto.node.v1.AllocateDevicesRequest;
import io.keelson.proto.node.v1.AllocateDevicesResponse;
import io.keelson.proto.node.v1.AllocatedDevices;
import io.keelson.proto.node.v1.AttachDevicesRequest;
import io.keelson.proto.node.v1.AttachDevicesResponse;
import io.keelson.proto.node.v1.CdiDevice;
import io.keelson.proto.node.v1.DetachDevicesRequest;
import io.keelson.proto.node.v1.DetachDevicesResponse;
import io.keelson.proto.node.v1.DeviceHolder;
import io.keelson.proto.node.v1.DeviceResource;
import io.keelson.proto.node.v1.DeviceServiceGrpc.DeviceServiceImplBase;
import io.keelson.proto.node.v1.ListCdiDevicesRequest;
import io.keelson.proto.node.v1.ListCdiDevicesResponse;
import io.keelson.proto.node.v1.ListResourcesRequest;
import io.keelson.proto.node.v1.ListResourcesResponse;
import io.keelson.proto.node.v1.NodeDevice;
import io.keelson.proto.node.v1.ReleaseDevicesRequest;
import io.keelson.proto.node.v1.ReleaseDevicesResponse;
import io.keelson.proto.node.v1.WatchDevicesRequest;
import io.keelson.proto.node.v1.WriteCdiSpecsRequest;
import io.keelson.proto.node.v1.WriteCdiSpecsResponse;
import io.keelson.proto.record.v1.DeviceAllocation;
import java.io.InterruptedIOException;
import java.util.List;
import java.util.Locale;

/** {@code keelson.node.v1.DeviceService}: the node's devices, and who holds them. */
public final class NodeDeviceService extends DeviceServiceImplBase {

  private final NodeDevices devices;

  public NodeDeviceService(NodeDevices devices) {
    this.devices = devices;
  }

  @Override
  public void listResources(
      ListResourcesRequest request, StreamObserver<ListResourcesResponse> observer) {
    Answers.one(observer, this::resources);
  }

  @Override
  public void watchDevices(
      WatchDevicesRequest request, StreamObserver<ListResourcesResponse> observer) {
    Answers.one(
        observer,
        () ->
            Cancellations.interrupting(
                () -> {
                  long seen = 0;
                  while (true) {
                    try {
                      seen = devices.awaitChange(seen);
                    } catch (InterruptedException e) {
                      throw new InterruptedIOException("the watching has ended");
                    }
                    observer.onNext(resources());
                  }
                }));
  }

  private ListResourcesResponse resources() {
    ListResourcesResponse.Builder answer = ListResourcesResponse.newBuilder();
    for (Inventory resource : devices.inventory()) {
      answer.addResources(
          DeviceResource.newBuilder()
              .setName(resource.name())
              .setPluginState(resource.plugin().name().toLowerCase(Locale.ROOT))
              .addAllDevices(resource.devices().stream().map(NodeDeviceService::message).toList()));
    }
    return answer.build();
  }

  private static NodeDevice message(Inventory.Entry entry) {
    Device device = entry.device();
    NodeDevice.Builder message =
        NodeDevice.newBuilder()
            .setId(device.id())
            .setHealthy(entry.usable())
            .addAllNumaNodes(device.numaNodes())
            .putAllAttributes(device.attributes());
    entry
        .holder()
        .ifPresent(
            held ->
                message.setHolder(
                    DeviceHolder.newBuilder()
                        .setPodNamespace(held.getPodNamespace())
                        .setPodName(held.getPodName())
                        .setPodUid(held.getPodUid())
                        .setContainer(held.getContainer())
                        .addAllContainerIds(held.getContainerIdsList())));
    return message.build();
  }

  @Override
  public void allocate(
      AllocateDevicesRequest request, StreamObserver<AllocateDevicesResponse> observer) {
    Answers.one(
        observer,
        () -> {
          Claimant claimant =
              new Claimant(
                  request.getPodUid(),
                  request.getPodNamespace(),
                  request.getPodName(),
                  "",
                  request.getContainer(),
                  "");
          return AllocateDevicesResponse.newBuilder()
              .addAllAllocated(messages(devices.reserve(claimant, request.getRequest())))
              .build();
        });
  }

  private static List<AllocatedDevices> messages(List<DeviceAllocation> allocations) {
    return allocations.stream()
        .map(
            allocation ->
                AllocatedDevices.newBuilder()
                    .setResource(allocation.getResource())
                    .addAllDeviceIds(allocation.getDeviceIdsList())
                    .setResponse(allocation.getResponse())
                    .build())
        .toList();
  }

  @Override
  public void release(
      ReleaseDevicesRequest request, StreamObserver<ReleaseDevicesResponse> observer) {
    Answers.one(
        observer,
        () -> {
          devices.release(request.getPodUid(), request.getContainer());
          return ReleaseDevicesResponse.getDefaultInstance();
        });
  }

  @Override
  public void attach(AttachDevicesRequest request, StreamObserver<AttachDevicesResponse> observer) {
    Answers.one(
        observer,
        () ->
            AttachDevicesResponse.newBuilder()
                .addAllAttached(
                    messages(devices.attach(request.getContainerId(), request.getRequest())))
                .build());
  }

  @Override
  public void detach(DetachDevicesRequest request, StreamObserver<DetachDevicesResponse> observer) {
    Answers.one(
        observer,
        () -> {
          devices.detach(
              request.getContainerId(), request.getResource(), request.getDeviceIdsList());
          return DetachDevicesResponse.getDefaultInstance();
        });
  }

  @Override
  public void writeCdiSpecs(
      WriteCdiSpecsRequest request, StreamObserver<WriteCdiSpecsResponse> observer) {
    Answers.one(
        observer,
        () -> {
          WriteCdiSpecsResponse.Builder answer = WriteCdiSpecsResponse.newBuilder();
          devices.writeCdiSpecs().forEach(file -> answer.addFiles(file.toString()));
          return answer.build();
        });
  }

  @Override
  public void listCdiDevices(
      ListCdiDevicesRequest request, StreamObserver<ListCdiDevicesResponse> observer) {
    Answers.one(
        observer,
        () -> {
          CdiFolders.Inventory inventory = devices.cdiDevices();
          ListCdiDevicesResponse.Builder answer = ListCdiDevicesResponse.newBuilder();
          inventory
              .devices()
              .forEach(
                  (name, file) ->
                      answer.addDevices(
                          CdiDevice.newBuilder().setName(name).setFile(file.toString())));
          inventory.errors().forEach((file, error) -> answer.putErrors(file.toString(), error));
          return answer.build();
        });
  }
}
