package io.keelson.device.sdk;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.keelson.device.plugin.Device;
import io.keelson.device.plugin.DevicePlugin;
import io.keelson.proto.deviceplugin.v1beta1.AllocateRequest;
import io.keelson.proto.deviceplugin.v1beta1.AllocateResponse;
import io.keelson.proto.deviceplugin.v1beta1.ContainerAllocateRequest;
import io.keelson.proto.deviceplugin.v1beta1.ContainerPreferredAllocationRequest;
import io.keelson.proto.deviceplugin.v1beta1.ContainerPreferredAllocationResponse;
import io.keelson.proto.deviceplugin.v1beta1.DevicePluginGrpc;
import io.keelson.proto.deviceplugin.v1beta1.DevicePluginOptions;
import io.keelson.proto.deviceplugin.v1beta1.Empty;
import io.keelson.proto.deviceplugin.v1beta1.ListAndWatchResponse;
import io.keelson.proto.deviceplugin.v1beta1.NUMANode;
import io.keelson.proto.deviceplugin.v1beta1.PreStartContainerRequest;
import io.keelson.proto.deviceplugin.v1beta1.PreStartContainerResponse;
import io.keelson.proto.deviceplugin.v1beta1.PreferredAllocationRequest;
import io.keelson.proto.deviceplugin.v1beta1.PreferredAllocationResponse;
import io.keelson.proto.deviceplugin.v1beta1.TopologyInfo;
import io.keelson.sandbox.error.KeelsonException;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** A {@link DevicePlugin} as the gRPC service that node agents call. */
final class PluginService extends DevicePluginGrpc.DevicePluginImplBase
    implements DevicePlugin.Listener {

  private final DevicePlugin plugin;

  /** Guarded by this, as what is sent to them is. */
  private final Set<ServerCallStreamObserver<ListAndWatchResponse>> watchers =
      new LinkedHashSet<>();

  /** Guarded by this. */
  private ListAndWatchResponse last = ListAndWatchResponse.getDefaultInstance();

  /** Guarded by this. */
  private boolean known;

  PluginService(DevicePlugin plugin) {
    this.plugin = plugin;
  }

  DevicePluginOptions options() {
    return DevicePluginOptions.newBuilder()
        .setPreStartRequired(plugin.wantsPreStart())
        .setGetPreferredAllocationAvailable(plugin.hasPreference())
        .build();
  }

  @Override
  public synchronized void devices(List<Device> all) {
    ListAndWatchResponse.Builder list = ListAndWatchResponse.newBuilder();
    all.forEach(device -> list.addDevices(message(device)));
    last = list.build();
    known = true;
    watchers.forEach(watcher -> watcher.onNext(last));
  }

  @Override
  public synchronized void ended(String why) {
    watchers.forEach(StreamObserver::onCompleted);
    watchers.clear();
  }

  private static io.keelson.proto.deviceplugin.v1beta1.Device message(Device device) {
    var message =
        io.keelson.proto.deviceplugin.v1beta1.Device.newBuilder()
            .setID(device.id())
            .setHealth(device.healthy() ? "Healthy" : "Unhealthy");
    if (!device.numaNodes().isEmpty()) {
      TopologyInfo.Builder topology = TopologyInfo.newBuilder();
      device.numaNodes().forEach(node -> topology.addNodes(NUMANode.newBuilder().setID(node)));
      message.setTopology(topology);
    }
    return message.build();
  }

  @Override
  public void getDevicePluginOptions(Empty request, StreamObserver<DevicePluginOptions> observer) {
    observer.onNext(options());
    observer.onCompleted();
  }

  @Override
  public synchronized void listAndWatch(
      Empty request, StreamObserver<ListAndWatchResponse> observer) {
    var watcher = (ServerCallStreamObserver<ListAndWatchResponse>) observer;
    watcher.setOnCancelHandler(() -> forget(watcher));
    watchers.add(watcher);
    if (known) {
      watcher.onNext(last);
    }
  }

  private synchronized void forget(ServerCallStreamObserver<ListAndWatchResponse> watcher) {
    watchers.remove(watcher);
  }

  @Override
  public void getPreferredAllocation(
      PreferredAllocationRequest request, StreamObserver<PreferredAllocationResponse> observer) {
    answer(
        observer,
        () -> {
          var answer = PreferredAllocationResponse.newBuilder();
          for (ContainerPreferredAllocationRequest one : request.getContainerRequestsList()) {
            answer.addContainerResponses(
                ContainerPreferredAllocationResponse.newBuilder()
                    .addAllDeviceIDs(
                        plugin.prefer(
                            one.getAvailableDeviceIDsList(),
                            one.getMustIncludeDeviceIDsList(),
                            one.getAllocationSize())));
          }
          return answer.build();
        });
  }

  @Override
  public void allocate(AllocateRequest request, StreamObserver<AllocateResponse> observer) {
    answer(
        observer,
        () -> {
          var answer = AllocateResponse.newBuilder();
          for (ContainerAllocateRequest one : request.getContainerRequestsList()) {
            answer.addContainerResponses(plugin.allocate(one.getDevicesIdsList()));
          }
          return answer.build();
        });
  }

  @Override
  public void preStartContainer(
      PreStartContainerRequest request, StreamObserver<PreStartContainerResponse> observer) {
    answer(
        observer,
        () -> {
          plugin.preStart(request.getDevicesIdsList());
          return PreStartContainerResponse.getDefaultInstance();
        });
  }

  private interface Work<T> {
    T run() throws IOException;
  }

  private static <T> void answer(StreamObserver<T> observer, Work<T> work) {
    try {
      observer.onNext(work.run());
      observer.onCompleted();
    } catch (IOException | KeelsonException e) {
      observer.onError(Status.UNKNOWN.withDescription(e.getMessage()).asRuntimeException());
    }
  }
}
