package io.keelson.device.dra;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Context;
import io.grpc.Status;
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
import io.keelson.sandbox.FaultPoints;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
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
  private final DraDrivers drivers = new DraDrivers(channels, Duration.ofMillis(300));
  private final List<PodClaims> opened = new ArrayList<>();
  private UnixServer driver;
  private volatile boolean failing;

  @BeforeEach
  void start() throws IOException {
    driver = UnixServer.start(folder.resolve("dra.sock"), List.of(new Driver()));
    drivers.register("gpu.example", driver.socket(), List.of("v1.DRAPlugin"));
  }

  @AfterEach
  void stop() throws IOException {
    opened.forEach(PodClaims::close);
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
    awaitNoRecords();
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

  @Test
  void aDriverThatHangsFailsThePodAtItsDeadline() throws Exception {
    try (DraDrivers impatient =
        new DraDrivers(channels, Duration.ofMillis(300), Duration.ofMillis(50))) {
      impatient.register("gpu.example", driver.socket(), List.of("v1.DRAPlugin"));
      PodClaims claims = open(impatient);
      PodContext pod = pod("p1", "gpu.example=team/hung@uid-4");
      assertThatThrownBy(() -> claims.run(pod))
          .isInstanceOf(OperationFailedException.class)
          .hasMessageContaining("driver gpu.example: DEADLINE_EXCEEDED");
    }
  }

  /** A pod whose claim could not be prepared is undone, and the driver hears of that, too. */
  @Test
  void rubbishAndSilenceOfADriverAreToldInWords() throws Exception {
    PodClaims claims = open();
    Map<String, String> complaints =
        Map.of(
            "silent", "driver gpu.example does not answer for claim team/silent",
            "rubbish", "claim team/rubbish: CDI device name \"../../etc/passwd\"");
    complaints.forEach(
        (name, complaint) -> {
          PodContext pod = pod(name, "gpu.example=team/" + name + "@uid");
          assertThatThrownBy(() -> claims.run(pod))
              .isInstanceOf(OperationFailedException.class)
              .hasMessageContaining(complaint);
        });
    assertThat(claims.cdiDevices("rubbish")).isEmpty();
    calls.clear();
    for (String name : complaints.keySet()) {
      claims.stop(pod(name, ""));
    }
    assertThat(calls).hasSize(1).first().asString().startsWith("unprepare"); // all share a uid
    assertThat(folder.resolve("claims")).isEmptyDirectory();
  }

  /** "Not registered yet" is not "gone": it is waited for, also when it comes back. */
  @Test
  void aDriverOnItsWayBackIsWaitedFor() throws Exception {
    Duration patience = Duration.ofSeconds(2);
    try (DraDrivers patient = new DraDrivers(channels, patience)) {
      patient.register("gpu.example", driver.socket(), List.of("v1.DRAPlugin"));
      TimeUnit.MILLISECONDS.sleep(patience.toMillis() + 50); // the daemon's start is long ago
      patient.deregister("gpu.example", driver.socket());
      Thread back =
          Thread.ofVirtual()
              .start(
                  () -> {
                    LockSupport.parkNanos(Duration.ofMillis(100).toNanos());
                    patient.register("gpu.example", driver.socket(), List.of("v1.DRAPlugin"));
                  });
      open(patient).run(pod("p1", CLAIM));
      assertThat(calls).containsExactly("prepare team/big uid-1");
      back.join();
    }
  }

  /** No driver keeps a pod from its end; it is asked again until it has taken the claim back. */
  @Test
  void whatADriverDoesNotTakeBackIsOwedToItAcrossRestarts() throws Exception {
    PodClaims claims = open();
    claims.run(pod("p1", CLAIM));
    failing = true;
    claims.stop(pod("p1", CLAIM));
    drivers.deregister("gpu.example", driver.socket());
    claims.run(pod("p2", ""));
    claims.close();
    calls.clear();

    PodClaims next = open();
    next.recover(List.of(pod("p1", CLAIM))); // stopped, and not removed yet
    assertThat(calls.poll(100, TimeUnit.MILLISECONDS)).as("it is away").isNull();
    failing = false;
    drivers.register("gpu.example", driver.socket(), List.of("v1.DRAPlugin"));
    assertThat(calls.poll(10, TimeUnit.SECONDS)).isEqualTo("unprepare team/big uid-1");
    awaitNoRecords();
  }

  private void awaitNoRecords() throws Exception {
    Path records = folder.resolve("claims");
    for (int i = 0; i < 1000 && records.toFile().list().length > 0; i++) {
      TimeUnit.MILLISECONDS.sleep(10);
    }
    assertThat(records).isEmptyDirectory();
  }

  /** Devices of several drivers may be in one claim. */
  @Test
  void eachDriverOfAClaimIsToldOfItsEnd() throws Exception {
    try (UnixServer other = UnixServer.start(folder.resolve("other.sock"), List.of(new Driver()))) {
      drivers.register("ib.example", other.socket(), List.of("v1.DRAPlugin"));
      PodClaims claims = open();
      claims.run(pod("p1", CLAIM));
      claims.run(pod("p2", "ib.example=team/big@uid-1"));
      calls.clear();
      claims.stop(pod("p1", CLAIM));
      assertThat(calls).hasSize(1);
      claims.stop(pod("p2", CLAIM));
      assertThat(calls).hasSize(2);
    }
  }

  private PodClaims open() throws IOException {
    return open(drivers);
  }

  private PodClaims open(DraDrivers asked) throws IOException {
    PodClaims claims =
        PodClaims.open(Files.createDirectories(folder.resolve("claims")), asked, FaultPoints.NONE);
    opened.add(claims);
    return claims;
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
        } else if (claim.getName().equals("silent")) {
          continue;
        } else if (claim.getName().equals("hung")) {
          return; // and never answers
        } else if (claim.getName().equals("rubbish")) {
          one.addDevices(Device.newBuilder().addCdiDeviceIds("../../etc/passwd"));
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
        if (failing) {
          observer.onError(Status.INTERNAL.asRuntimeException());
          return;
        }
        answer.putClaims(claim.getUid(), NodeUnprepareResourceResponse.getDefaultInstance());
      }
      observer.onNext(answer.build());
      observer.onCompleted();
    }
  }
}
