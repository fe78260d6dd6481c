package io.keelson.device.plugin;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.keelson.proto.deviceplugin.v1beta1.AllocateRequest;
import io.keelson.proto.deviceplugin.v1beta1.AllocateResponse;
import io.keelson.proto.deviceplugin.v1beta1.ContainerAllocateRequest;
import io.keelson.proto.deviceplugin.v1beta1.ContainerAllocateResponse;
import io.keelson.proto.deviceplugin.v1beta1.ContainerPreferredAllocationRequest;
import io.keelson.proto.deviceplugin.v1beta1.DevicePluginGrpc;
import io.keelson.proto.deviceplugin.v1beta1.DevicePluginGrpc.DevicePluginBlockingStub;
import io.keelson.proto.deviceplugin.v1beta1.DevicePluginOptions;
import io.keelson.proto.deviceplugin.v1beta1.Empty;
import io.keelson.proto.deviceplugin.v1beta1.ListAndWatchResponse;
import io.keelson.proto.deviceplugin.v1beta1.NUMANode;
import io.keelson.proto.deviceplugin.v1beta1.PreStartContainerRequest;
import io.keelson.proto.deviceplugin.v1beta1.PreferredAllocationRequest;
import io.keelson.proto.deviceplugin.v1beta1.PreferredAllocationResponse;
import io.keelson.sandbox.rpc.RpcFailures;
import io.keelson.sandbox.rpc.UnixChannels;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** A vendor's plugin behind its socket: the client side of v1beta1's DevicePlugin. */
final class RemotePlugin implements DevicePlugin {

  private static final String HEALTHY = "Healthy";

  /** A kubelet waits as long for a plugin that has registered to be there. */
  private static final Duration CONNECT = Duration.ofSeconds(10);

  /** Some plugins load a driver or reset the device. */
  private static final Duration ALLOCATE = Duration.ofSeconds(60);

  private static final Duration PRE_START = Duration.ofSeconds(30);
  private static final Duration PREFER = Duration.ofSeconds(10);

  private final Path socket;
  private final ManagedChannel channel;
  private final DevicePluginOptions options;

  private RemotePlugin(Path socket, ManagedChannel channel, DevicePluginOptions options) {
    this.socket = socket;
    this.channel = channel;
    this.options = options;
  }

  /**
   * Connects and asks for the plugin's options.
   *
   * @throws IOException if nobody answers there
   */
  static RemotePlugin connect(Path socket, UnixChannels channels) throws IOException {
    ManagedChannel channel = channels.open(socket);
    try {
      DevicePluginOptions options =
          DevicePluginGrpc.newBlockingStub(channel)
              .withWaitForReady()
              .withDeadlineAfter(CONNECT.toMillis(), TimeUnit.MILLISECONDS)
              .getDevicePluginOptions(Empty.getDefaultInstance());
      return new RemotePlugin(socket, channel, options);
    } catch (StatusRuntimeException e) {
      channel.shutdownNow();
      throw new IOException("%s: %s".formatted(socket, RpcFailures.text(e)), e);
    }
  }

  @Override
  public boolean hasPreference() {
    return options.getGetPreferredAllocationAvailable();
  }

  @Override
  public boolean wantsPreStart() {
    return options.getPreStartRequired();
  }

  @Override
  public void watch(Listener listener) {
    DevicePluginGrpc.newStub(channel)
        .listAndWatch(
            Empty.getDefaultInstance(),
            new StreamObserver<>() {
              @Override
              public void onNext(ListAndWatchResponse answer) {
                listener.devices(
                    answer.getDevicesList().stream().map(RemotePlugin::device).toList());
              }

              @Override
              public void onError(Throwable t) {
                listener.ended(
                    t instanceof StatusRuntimeException e
                        ? RpcFailures.text(e)
                        : String.valueOf(t.getMessage()));
              }

              @Override
              public void onCompleted() {
                listener.ended("it ended its list of devices");
              }
            });
  }

  private static Device device(io.keelson.proto.deviceplugin.v1beta1.Device device) {
    return new Device(
        device.getID(),
        device.getHealth().equals(HEALTHY),
        device.getTopology().getNodesList().stream().map(NUMANode::getID).toList(),
        Map.of());
  }

  @Override
  public List<String> prefer(List<String> available, List<String> mustInclude, int size)
      throws IOException {
    PreferredAllocationRequest request =
        PreferredAllocationRequest.newBuilder()
            .addContainerRequests(
                ContainerPreferredAllocationRequest.newBuilder()
                    .addAllAvailableDeviceIDs(available)
                    .addAllMustIncludeDeviceIDs(mustInclude)
                    .setAllocationSize(size))
            .build();
    PreferredAllocationResponse answer =
        call("GetPreferredAllocation", PREFER, stub -> stub.getPreferredAllocation(request));
    return answer.getContainerResponsesCount() == 0
        ? List.of()
        : answer.getContainerResponses(0).getDeviceIDsList();
  }

  @Override
  public ContainerAllocateResponse allocate(List<String> ids) throws IOException {
    AllocateRequest request =
        AllocateRequest.newBuilder()
            .addContainerRequests(ContainerAllocateRequest.newBuilder().addAllDevicesIds(ids))
            .build();
    AllocateResponse answer = call("Allocate", ALLOCATE, stub -> stub.allocate(request));
    if (answer.getContainerResponsesCount() != 1) {
      throw new IOException(
          "the plugin at %s answers Allocate for one container with %d responses"
              .formatted(socket, answer.getContainerResponsesCount()));
    }
    return answer.getContainerResponses(0);
  }

  @Override
  public void preStart(List<String> ids) throws IOException {
    PreStartContainerRequest request =
        PreStartContainerRequest.newBuilder().addAllDevicesIds(ids).build();
    var _ = call("PreStartContainer", PRE_START, stub -> stub.preStartContainer(request));
  }

  private <T> T call(String name, Duration deadline, Function<DevicePluginBlockingStub, T> call)
      throws IOException {
    try {
      return call.apply(
          DevicePluginGrpc.newBlockingStub(channel)
              .withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS));
    } catch (StatusRuntimeException e) {
      throw new IOException(
          "%s of the plugin at %s: %s".formatted(name, socket, RpcFailures.text(e)), e);
    }
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }
}
