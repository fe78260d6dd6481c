package io.keelson.integration.harness;

import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.keelson.proto.cri.v1.AttachRequest;
import io.keelson.proto.cri.v1.AuthConfig;
import io.keelson.proto.cri.v1.Container;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.ContainerStatus;
import io.keelson.proto.cri.v1.ContainerStatusRequest;
import io.keelson.proto.cri.v1.CreateContainerRequest;
import io.keelson.proto.cri.v1.ExecRequest;
import io.keelson.proto.cri.v1.ExecSyncRequest;
import io.keelson.proto.cri.v1.ExecSyncResponse;
import io.keelson.proto.cri.v1.Image;
import io.keelson.proto.cri.v1.ImageServiceGrpc;
import io.keelson.proto.cri.v1.ImageServiceGrpc.ImageServiceBlockingStub;
import io.keelson.proto.cri.v1.ImageSpec;
import io.keelson.proto.cri.v1.ListContainersRequest;
import io.keelson.proto.cri.v1.ListImagesRequest;
import io.keelson.proto.cri.v1.ListPodSandboxRequest;
import io.keelson.proto.cri.v1.PodSandbox;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxStatus;
import io.keelson.proto.cri.v1.PodSandboxStatusRequest;
import io.keelson.proto.cri.v1.PortForwardRequest;
import io.keelson.proto.cri.v1.PullImageRequest;
import io.keelson.proto.cri.v1.RemoveContainerRequest;
import io.keelson.proto.cri.v1.RemoveImageRequest;
import io.keelson.proto.cri.v1.RemovePodSandboxRequest;
import io.keelson.proto.cri.v1.RunPodSandboxRequest;
import io.keelson.proto.cri.v1.RuntimeServiceGrpc;
import io.keelson.proto.cri.v1.RuntimeServiceGrpc.RuntimeServiceBlockingStub;
import io.keelson.proto.cri.v1.StartContainerRequest;
import io.keelson.proto.cri.v1.StatusRequest;
import io.keelson.proto.cri.v1.StopContainerRequest;
import io.keelson.proto.cri.v1.StopPodSandboxRequest;
import io.keelson.proto.cri.v1.VersionRequest;
import io.keelson.proto.cri.v1.VersionResponse;
import io.keelson.proto.node.v1.DeviceServiceGrpc;
import io.keelson.proto.node.v1.ImageProgress;
import io.keelson.proto.node.v1.ImportImageRequest;
import io.keelson.proto.node.v1.ListResourcesRequest;
import io.keelson.proto.node.v1.NodeDevice;
import io.keelson.proto.node.v1.NodeServiceGrpc;
import io.keelson.proto.node.v1.VolumeServiceGrpc;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A client of one daemon's socket, with the deadlines of a kubelet. Safe for use by many threads.
 */
public final class Cri implements AutoCloseable {

  private static final Duration DEADLINE = Patience.ofSeconds(120);
  private static final Duration PROBE = Patience.ofSeconds(2);
  private static final int MAX_MESSAGE = 16 * 1024 * 1024;

  private final EventLoopGroup eventLoop;
  private final ManagedChannel channel;

  private Cri(Path socket) {
    eventLoop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    channel =
        NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
            .eventLoopGroup(eventLoop)
            .channelType(EpollDomainSocketChannel.class)
            .withOption(ChannelOption.SO_KEEPALIVE, null)
            .overrideAuthority("localhost")
            .maxInboundMessageSize(MAX_MESSAGE)
            .usePlaintext()
            .build();
  }

  public static Cri connect(Path socket) {
    return new Cri(socket);
  }

  /** The calls as they are; each use has a deadline of its own. */
  public RuntimeServiceBlockingStub runtime() {
    return RuntimeServiceGrpc.newBlockingStub(channel)
        .withDeadlineAfter(DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
  }

  public ImageServiceBlockingStub images() {
    return ImageServiceGrpc.newBlockingStub(channel)
        .withDeadlineAfter(DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** The devices of the node. */
  public DeviceServiceGrpc.DeviceServiceBlockingStub devices() {
    return DeviceServiceGrpc.newBlockingStub(channel)
        .withDeadlineAfter(DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** What the node has of a resource, held or not. */
  public List<NodeDevice> devicesOf(String resource) {
    return devices()
        .listResources(ListResourcesRequest.getDefaultInstance())
        .getResourcesList()
        .stream()
        .filter(found -> found.getName().equals(resource))
        .flatMap(found -> found.getDevicesList().stream())
        .toList();
  }

  /** Whether the daemon has ended its recovery; false also if nobody listens. */
  public boolean isServing() {
    try {
      RuntimeServiceGrpc.newBlockingStub(channel)
          .withDeadlineAfter(PROBE.toMillis(), TimeUnit.MILLISECONDS)
          .status(StatusRequest.getDefaultInstance());
      return RuntimeServiceGrpc.newBlockingStub(channel)
              .withDeadlineAfter(PROBE.toMillis(), TimeUnit.MILLISECONDS)
              .listPodSandbox(ListPodSandboxRequest.getDefaultInstance())
          != null;
    } catch (StatusRuntimeException e) {
      return switch (e.getStatus().getCode()) {
        case UNAVAILABLE, DEADLINE_EXCEEDED -> false;
        default -> throw e;
      };
    }
  }

  /**
   * A channel that was refused waits before it tries again, and refuses calls as long as it does;
   * after a restart there is no need to. Returns when it is connected, or after some seconds if
   * nobody listens.
   */
  public void reconnect() {
    long end = System.nanoTime() + PROBE.toNanos();
    while (channel.getState(true) != ConnectivityState.READY && System.nanoTime() < end) {
      channel.resetConnectBackoff();
      pause(5);
    }
  }

  private static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  public String version() {
    return runtime().version(VersionRequest.getDefaultInstance()).getRuntimeName();
  }

  /** For people. */
  public String nameAndVersion() {
    VersionResponse version = runtime().version(VersionRequest.getDefaultInstance());
    return version.getRuntimeName() + " " + version.getRuntimeVersion();
  }

  public String runPod(PodSandboxConfig config) {
    return runPod(config, "");
  }

  public String runPod(PodSandboxConfig config, String handler) {
    return runtime()
        .runPodSandbox(
            RunPodSandboxRequest.newBuilder().setConfig(config).setRuntimeHandler(handler).build())
        .getPodSandboxId();
  }

  public void stopPod(String id) {
    runtime().stopPodSandbox(StopPodSandboxRequest.newBuilder().setPodSandboxId(id).build());
  }

  public void removePod(String id) {
    runtime().removePodSandbox(RemovePodSandboxRequest.newBuilder().setPodSandboxId(id).build());
  }

  public PodSandboxStatus podStatus(String id) {
    return runtime()
        .podSandboxStatus(PodSandboxStatusRequest.newBuilder().setPodSandboxId(id).build())
        .getStatus();
  }

  public List<PodSandbox> pods() {
    return runtime().listPodSandbox(ListPodSandboxRequest.getDefaultInstance()).getItemsList();
  }

  public String create(String pod, ContainerConfig container, PodSandboxConfig podConfig) {
    return runtime()
        .createContainer(
            CreateContainerRequest.newBuilder()
                .setPodSandboxId(pod)
                .setConfig(container)
                .setSandboxConfig(podConfig)
                .build())
        .getContainerId();
  }

  public void start(String id) {
    runtime().startContainer(StartContainerRequest.newBuilder().setContainerId(id).build());
  }

  /** Creates and starts. */
  public String run(String pod, ContainerConfig container, PodSandboxConfig podConfig) {
    String id = create(pod, container, podConfig);
    start(id);
    return id;
  }

  public void stop(String id, long graceSeconds) {
    runtime()
        .stopContainer(
            StopContainerRequest.newBuilder().setContainerId(id).setTimeout(graceSeconds).build());
  }

  public void remove(String id) {
    runtime().removeContainer(RemoveContainerRequest.newBuilder().setContainerId(id).build());
  }

  public ContainerStatus status(String id) {
    return runtime()
        .containerStatus(ContainerStatusRequest.newBuilder().setContainerId(id).build())
        .getStatus();
  }

  public List<Container> containers() {
    return runtime().listContainers(ListContainersRequest.getDefaultInstance()).getContainersList();
  }

  /** Waits for a container to end. */
  public ContainerStatus awaitExit(String id) {
    long end = System.nanoTime() + Patience.ofSeconds(60).toNanos();
    while (true) {
      ContainerStatus status = status(id);
      if (status.getState() == ContainerState.CONTAINER_EXITED) {
        return status;
      }
      if (System.nanoTime() > end) {
        throw new AssertionError("container " + id + " does not end: " + status);
      }
      pause(10);
    }
  }

  public ExecSyncResponse exec(String id, String... command) {
    return exec(id, Patience.ofSeconds(20).toSeconds(), command);
  }

  public ExecSyncResponse exec(String id, long timeoutSeconds, String... command) {
    return runtime()
        .execSync(
            ExecSyncRequest.newBuilder()
                .setContainerId(id)
                .addAllCmd(List.of(command))
                .setTimeout(timeoutSeconds)
                .build());
  }

  /** Where an exec can be connected to; a terminal has no standard error. */
  public String execUrl(String id, boolean terminal, boolean stdin, String... command) {
    return runtime()
        .exec(
            ExecRequest.newBuilder()
                .setContainerId(id)
                .addAllCmd(List.of(command))
                .setTty(terminal)
                .setStdin(stdin)
                .setStdout(true)
                .setStderr(!terminal)
                .build())
        .getUrl();
  }

  public String attachUrl(String id, boolean terminal, boolean stdin) {
    return runtime()
        .attach(
            AttachRequest.newBuilder()
                .setContainerId(id)
                .setTty(terminal)
                .setStdin(stdin)
                .setStdout(true)
                .setStderr(!terminal)
                .build())
        .getUrl();
  }

  public String portForwardUrl(String pod, Integer... ports) {
    return runtime()
        .portForward(
            PortForwardRequest.newBuilder().setPodSandboxId(pod).addAllPort(List.of(ports)).build())
        .getUrl();
  }

  /** The standard output of a command in a container; it must succeed. */
  public String output(String id, String... command) {
    ExecSyncResponse response = exec(id, command);
    if (response.getExitCode() != 0) {
      throw new AssertionError(
          String.join(" ", command)
              + " ended with "
              + response.getExitCode()
              + ": "
              + response.getStdout().toStringUtf8()
              + response.getStderr().toStringUtf8());
    }
    return response.getStdout().toStringUtf8().strip();
  }

  /** Pulls an image; returns its reference (its id). */
  public String pull(String image) {
    return images()
        .pullImage(
            PullImageRequest.newBuilder()
                .setImage(ImageSpec.newBuilder().setImage(image))
                .setAuth(AuthConfig.getDefaultInstance())
                .build())
        .getImageRef();
  }

  public List<Image> listImages() {
    return images().listImages(ListImagesRequest.getDefaultInstance()).getImagesList();
  }

  public void removeImage(String image) {
    images()
        .removeImage(
            RemoveImageRequest.newBuilder()
                .setImage(ImageSpec.newBuilder().setImage(image))
                .build());
  }

  /** Imports an archive or OCI layout; returns the ids of the images in it. */
  public List<String> importImage(Path archive, String name) {
    List<String> ids = new ArrayList<>();
    node()
        .importImage(
            ImportImageRequest.newBuilder().setPath(archive.toString()).setName(name).build())
        .forEachRemaining((ImageProgress progress) -> ids.addAll(progress.getImageIdsList()));
    return ids;
  }

  /** What CRI has no call for. */
  public NodeServiceGrpc.NodeServiceBlockingStub node() {
    return NodeServiceGrpc.newBlockingStub(channel)
        .withDeadlineAfter(DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Volumes, which CRI does not know. */
  public VolumeServiceGrpc.VolumeServiceBlockingStub volumes() {
    return VolumeServiceGrpc.newBlockingStub(channel)
        .withDeadlineAfter(DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
  }

  @Override
  public void close() {
    channel.shutdownNow();
    var _ = eventLoop.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
  }
}
