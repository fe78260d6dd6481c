package io.keelson.device.dra;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Context;
import io.grpc.stub.StreamObserver;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.dra.v1.Claim;
import io.keelson.proto.dra.v1.DRAPluginGrpc;
import io.keelson.proto.dra.v1.Device;
import io.keelson.proto.dra.v1.NodePrepareResourceResponse;
import io.keelson.proto.dra.v1.NodePrepareResourcesRequest;
import io.keelson.proto.dra.v1.NodePrepareResourcesResponse;
import io.keelson.proto.dra.v1.NodeUnprepareResourceResponse;
import io.keelson.proto.dra.v1.NodeUnprepareResourcesRequest;
import io.keelson.proto.dra.v1.NodeUnprepareResourcesResponse;
import io.keelson.proto.drahealth.v1.DRAResourceHealthGrpc;
import io.keelson.proto.drahealth.v1.DeviceHealth;
import io.keelson.proto.drahealth.v1.HealthStatus;
import io.keelson.proto.drahealth.v1.NodeWatchResourcesRequest;
import io.keelson.proto.drahealth.v1.NodeWatchResourcesResponse;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.error.UnavailableException;
import io.keelson.sandbox.port.PodContext;
import io.keelson.sandbox.port.RuntimeHandler;
import io.keelson.sandbox.rpc.UnixChannels;
import io.keelson.sandbox.rpc.UnixServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Claims over a driver on a real socket. */
class PodClaimsTest {

  private static final String CLAIM = "gpu.example=team/big@uid-1";

  @TempDir Path folder;

  private final BlockingQueue<String> calls = new LinkedBlockingQueue<>();
  private final UnixChannels channels = new UnixChannels();
  private final DraDrivers drivers = new DraDrivers(channels, Duration.ofMillis(100));
  private UnixServer driver;

  @BeforeEach
  void start() throws IOException {
    driver = UnixServer.start(folder.resolve("dra.sock"), List.of(new Driver()));
    drivers.register("gpu.example", driver.socket(), List.of("v1.DRAPlugin"));
  }

  @AfterEach
  void stop() throws IOException {
    drivers.close();
    driver.close();
    channels.close();
  }

  @Test
  void aClaimIsPreparedForItsPodAndUnpreparedWhenItStops() throws Exception {
    PodClaims claims = open();
    claims.run(pod("p1", CLAIM));
    assertThat(calls).containsExactly("prepare team/big uid-1");
    assertThat(claims.cdiDevices("p1")).containsExactly("gpu.example/gpu=big");
    assertThat(claims.cdiDevices("p2")).isEmpty();
    claims.stop(pod("p1", CLAIM));
    claims.stop(pod("p1", CLAIM));
    assertThat(calls).containsExactly("prepare team/big uid-1", "unprepare team/big uid-1");
    assertThat(folder.resolve("claims")).isEmptyDirectory();
  }

  /** The daemon was killed: the pod is known or it is not. */
  @Test
  void whatAPodThatIsGoneHadIsUnpreparedAtTheNextStart() throws Exception {
    open().run(pod("p1", CLAIM));
    PodClaims next = open();
    next.recover(List.of(pod("p1", CLAIM)));
    assertThat(next.cdiDevices("p1")).containsExactly("gpu.example/gpu=big");
    assertThat(calls.poll()).startsWith("prepare");
    open().recover(List.of());
    assertThat(calls.poll(10, TimeUnit.SECONDS)).isEqualTo("unprepare team/big uid-1");
  }

  /** Two pods may share a claim; the driver hears of the last one's end alone. */
  @Test
  void aSharedClaimIsUnpreparedOnce() throws Exception {
    PodClaims claims = open();
    claims.run(pod("p1", CLAIM));
    claims.run(pod("p2", CLAIM));
    calls.clear();
    claims.stop(pod("p1", CLAIM));
    assertThat(calls).isEmpty();
    claims.stop(pod("p2", CLAIM));
    assertThat(calls).containsExactly("unprepare team/big uid-1");
  }

  /** Neither of the two that end at once must leave it to the other. */
  @Test
  void aSharedClaimIsUnpreparedOnceWhenItsPodsEndAtOnce() throws Exception {
    PodClaims claims = open();
    for (int round = 0; round < 20; round++) {
      claims.run(pod("p1", CLAIM));
      claims.run(pod("p2", CLAIM));
      calls.clear();
      try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
        for (String id : List.of("p1", "p2")) {
          var _ =
              executor.submit(
                  () -> {
                    claims.stop(pod(id, CLAIM));
                    return null;
                  });
        }
      }
      assertThat(calls).as("round " + round).containsExactly("unprepare team/big uid-1");
    }
    assertThat(folder.resolve("claims")).isEmptyDirectory();
  }

  /** The other driver tells nothing, which is no error. */
  @Test
  void theHealthOfDevicesIsFollowed() throws Exception {
    BlockingQueue<HealthStatus> told = new LinkedBlockingQueue<>();
    try (UnixServer other =
        UnixServer.start(folder.resolve("health.sock"), List.of(new Driver(), new Health(told)))) {
      drivers.register("ib.example", other.socket(), List.of("v1.DRAPlugin"));
      for (HealthStatus status : List.of(HealthStatus.HEALTHY, HealthStatus.UNHEALTHY)) {
        told.add(status);
        Map<HealthStatus, Integer> wanted = Map.of(status, 1);
        for (int i = 0; i < 1000 && !wanted.equals(drivers.health().get("ib.example")); i++) {
          TimeUnit.MILLISECONDS.sleep(10);
        }
        assertThat(drivers.health()).containsEntry("ib.example", wanted);
      }
      assertThat(drivers.health()).containsEntry("gpu.example", Map.of());
      drivers.deregister("ib.example", other.socket());
      assertThat(drivers.health()).doesNotContainKey("ib.example");
    }
  }

  /** Tells of one device, as often as it is given a status, until the watcher goes. */
  private static final class Health extends DRAResourceHealthGrpc.DRAResourceHealthImplBase {

    private final BlockingQueue<HealthStatus> told;

    Health(BlockingQueue<HealthStatus> told) {
      this.told = told;
    }

    @Override
    public void nodeWatchResources(
        NodeWatchResourcesRequest request, StreamObserver<NodeWatchResourcesResponse> observer) {
      Context context = Context.current();
      try {
        while (!context.isCancelled()) {
          HealthStatus status = told.poll(50, TimeUnit.MILLISECONDS);
          if (status != null) {
            observer.onNext(
                NodeWatchResourcesResponse.newBuilder()
                    .addDevices(DeviceHealth.newBuilder().setHealth(status))
                    .build());
          }
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Test
  void refusalsAndMistakesAreToldInWords() throws Exception {
    PodClaims claims = open();
    assertThatThrownBy(() -> claims.run(pod("p1", "gpu.example=team/refused@uid-2")))
        .isInstanceOf(OperationFailedException.class)
        .hasMessageContaining("driver gpu.example, claim team/refused: no such device");
    assertThatThrownBy(() -> claims.run(pod("p1", "other.example=team/x@uid-3")))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("DRA driver other.example has not registered");
    assertThatThrownBy(() -> claims.run(pod("p1", "nonsense")))
        .isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(
            () -> drivers.validate("gpu.example", driver.socket(), List.of("v1alpha3.Node")))
        .isInstanceOf(InvalidRequestException.class);
  }

  private PodClaims open() throws IOException {
    return PodClaims.open(Files.createDirectories(folder.resolve("claims")), drivers);
  }

  private PodContext pod(String id, String claims) {
    return new PodContext(
        id,
        PodSandboxConfig.newBuilder().putAnnotations(ClaimName.ANNOTATION, claims).build(),
        new RuntimeHandler("crun", folder, folder, false),
        folder,
        Map.of(),
        List.of());
  }

  private final class Driver extends DRAPluginGrpc.DRAPluginImplBase {

    @Override
    public void nodePrepareResources(
        NodePrepareResourcesRequest request,
        StreamObserver<NodePrepareResourcesResponse> observer) {
      var answer = NodePrepareResourcesResponse.newBuilder();
      for (Claim claim : request.getClaimsList()) {
        calls.add("prepare " + claim.getNamespace() + "/" + claim.getName() + " " + claim.getUid());
        var one = NodePrepareResourceResponse.newBuilder();
        if (claim.getName().equals("refused")) {
          one.setError("no such device");
        } else {
          one.addDevices(Device.newBuilder().addCdiDeviceIds("gpu.example/gpu=" + claim.getName()));
        }
        answer.putClaims(claim.getUid(), one.build());
      }
      observer.onNext(answer.build());
      observer.onCompleted();
    }

    @Override
    public void nodeUnprepareResources(
        NodeUnprepareResourcesRequest request,
        StreamObserver<NodeUnprepareResourcesResponse> observer) {
      var answer = NodeUnprepareResourcesResponse.newBuilder();
      for (Claim claim : request.getClaimsList()) {
        calls.add(
            "unprepare " + claim.getNamespace() + "/" + claim.getName() + " " + claim.getUid());
        answer.putClaims(claim.getUid(), NodeUnprepareResourceResponse.getDefaultInstance());
      }
      observer.onNext(answer.build());
      observer.onCompleted();
    }
  }
}
