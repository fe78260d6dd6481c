package io.keelson.integration;

import static io.keelson.integration.Failures.code;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.ClientCalls;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.Patience;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestImage;
import io.keelson.integration.harness.TestNode;
import io.keelson.integration.harness.TestRegistry;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.ContainerStatus;
import io.keelson.proto.cri.v1.ExecSyncResponse;
import io.keelson.proto.cri.v1.ImageSpec;
import io.keelson.proto.cri.v1.ImageStatusRequest;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxState;
import io.keelson.proto.cri.v1.PodSandboxStatus;
import io.keelson.proto.cri.v1.RuntimeConfigRequest;
import io.keelson.proto.cri.v1.StatusRequest;
import io.keelson.proto.cri.v1.VersionRequest;
import io.keelson.proto.cri.v1.VersionResponse;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a kubelet asks of a node, from the first call to the last. */
class MainPathIT {

  @RegisterExtension static final TestNode node = TestNode.create();

  @Test
  void tellsWhatItIs() {
    VersionResponse version = node.cri().runtime().version(VersionRequest.getDefaultInstance());

    assertThat(version.getVersion()).isNotEmpty();
    assertThat(version.getRuntimeName()).isEqualTo("keelson");
    assertThat(version.getRuntimeVersion()).isNotEmpty();
    assertThat(version.getRuntimeApiVersion()).isEqualTo("v1");
    assertThat(
            node.cri()
                .runtime()
                .status(StatusRequest.getDefaultInstance())
                .getStatus()
                .getConditionsList())
        .anyMatch(c -> c.getType().equals("RuntimeReady") && c.getStatus())
        .anyMatch(c -> c.getType().equals("NetworkReady") && c.getStatus());
    assertThat(
            node.cri()
                .runtime()
                .runtimeConfig(RuntimeConfigRequest.getDefaultInstance())
                .hasLinux())
        .isTrue();
    assertThat(
            node.cri()
                .runtime()
                .status(StatusRequest.newBuilder().setVerbose(true).build())
                .getInfoOrThrow("config"))
        .contains("\"root\":\"" + node.root() + "\"", "\"cgroupDriver\"");
  }

  /** Red if the daemon does not say that it serves, or what. */
  @Test
  void healthAndReflectionAreThere() {
    Channel channel = node.cri().runtime().getChannel();
    assertThat(
            HealthGrpc.newBlockingStub(channel)
                .check(HealthCheckRequest.getDefaultInstance())
                .getStatus())
        .isEqualTo(HealthCheckResponse.ServingStatus.SERVING);
    Iterator<ServerReflectionResponse> answers =
        ClientCalls.blockingServerStreamingCall(
            channel,
            ServerReflectionGrpc.getServerReflectionInfoMethod(),
            node.cri().runtime().getCallOptions(),
            ServerReflectionRequest.newBuilder().setListServices("").build());
    assertThat(answers.next().getListServicesResponse().getServiceList())
        .extracting(ServiceResponse::getName)
        .contains(
            "runtime.v1.RuntimeService",
            "runtime.v1.ImageService",
            "grpc.health.v1.Health",
            "keelson.node.v1.NodeService");
  }

  @Test
  void socketIsForRootAndItsGroupOnly() throws IOException {
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(node.socket())))
        .isEqualTo("rw-rw----");
  }

  @Test
  void podFromARegistryToItsEnd() throws Exception {
    Cri cri = node.cri();
    try (TestRegistry registry = TestRegistry.plain(node.folder("registry"))) {
      TestImage image =
          TestImage.busybox("{\"Env\":[\"PATH=/bin\",\"COLOUR=blue\"],\"Cmd\":[\"sh\"]}");
      String digest = registry.push(image, "demo/web", "v1");
      String name = registry.host() + "/demo/web:v1";

      String id = cri.pull(name);
      assertThat(id).isEqualTo(image.id());

      PodSandboxConfig.Builder pod = node.pod("web");
      String podId = cri.runPod(pod.build());
      PodSandboxStatus podStatus = cri.podStatus(podId);
      assertThat(podStatus.getState()).isEqualTo(PodSandboxState.SANDBOX_READY);
      assertThat(podStatus.getNetwork().getIp()).startsWith(node.ipv4Prefix());
      assertThat(podStatus.getMetadata()).isEqualTo(pod.getMetadata());
      assertThat(podStatus.getLabelsMap()).isEqualTo(pod.getLabelsMap());

      ContainerConfig config =
          node.container("server", "sh", "-c", "echo up on $HOSTNAME; exec httpd -f -p 80 -h /www")
              .setImage(ImageSpec.newBuilder().setImage(id).setUserSpecifiedImage(name))
              .putAnnotations("note", "grüße")
              .build();
      String container = cri.create(podId, config, pod.build());
      ContainerStatus created = cri.status(container);
      assertThat(created.getState()).isEqualTo(ContainerState.CONTAINER_CREATED);
      assertThat(created.getCreatedAt()).isPositive();
      assertThat(created.getStartedAt()).isZero();
      assertThat(created.getFinishedAt()).isZero();

      cri.start(container);
      ContainerStatus running = cri.status(container);
      assertThat(running.getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
      assertThat(running.getMetadata()).isEqualTo(config.getMetadata());
      assertThat(running.getImage().getImage()).isEqualTo(name);
      assertThat(running.getImageRef()).isEqualTo(registry.host() + "/demo/web@" + digest);
      assertThat(running.getImageId()).isEqualTo(image.id());
      assertThat(running.getLabelsMap()).isEqualTo(config.getLabelsMap());
      assertThat(running.getAnnotationsMap()).isEqualTo(config.getAnnotationsMap());
      assertThat(Instant.ofEpochSecond(0, running.getStartedAt()))
          .isBetween(Instant.now().minus(Duration.ofMinutes(1)), Instant.now());
      assertThat(running.getFinishedAt()).isZero();
      assertThat(running.getLogPath()).isEqualTo(node.log(pod, "server").file().toString());

      assertThat(get("http://" + podStatus.getNetwork().getIp() + "/index.html"))
          .isEqualTo("hello from the pod\n");
      assertThat(cri.output(container, "sh", "-c", "echo $COLOUR")).isEqualTo("blue");
      Waits.until(() -> !node.log(pod, "server").lines().isEmpty(), "the first line of the log");
      assertThat(node.log(pod, "server").text("stdout")).isEqualTo("up on web\n");

      cri.stop(container, 1);
      ContainerStatus exited = cri.status(container);
      assertThat(exited.getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
      assertThat(exited.getFinishedAt()).isGreaterThanOrEqualTo(exited.getStartedAt());

      cri.remove(container);
      assertThat(code(() -> cri.status(container))).isEqualTo(Status.Code.NOT_FOUND);
      cri.stopPod(podId);
      assertThat(cri.podStatus(podId).getState()).isEqualTo(PodSandboxState.SANDBOX_NOTREADY);
      assertThat(cri.podStatus(podId).getNetwork().getIp()).isEmpty();
      cri.removePod(podId);
      assertThat(code(() -> cri.podStatus(podId))).isEqualTo(Status.Code.NOT_FOUND);

      cri.removeImage(name);
      assertThat(imageStatus(name)).isFalse();
      assertThat(imageStatus(id)).isFalse();
    }
  }

  @Test
  void pullsByDigestAndOverTls() throws Exception {
    try (TestRegistry registry = TestRegistry.tls(node.folder("tls"))) {
      TestImage image = TestImage.busybox("{\"User\":\"web\"}");
      String digest = registry.push(image, "demo/tls", "v2");
      node.set("images.ca_file", "\"" + registry.certificate() + "\"");
      node.writeConfiguration();
      node.restart();

      String name = registry.host() + "/demo/tls@" + digest;
      assertThat(node.cri().pull(name)).isEqualTo(image.id());
      var status =
          node.cri()
              .images()
              .imageStatus(
                  ImageStatusRequest.newBuilder()
                      .setImage(ImageSpec.newBuilder().setImage(name))
                      .build())
              .getImage();
      assertThat(status.getRepoDigestsList()).containsExactly(name);
      assertThat(status.getUsername()).isEqualTo("web");
      assertThat(status.getSize()).isPositive();
      node.cri().removeImage(name);
    }
  }

  @Test
  void tellsOfAnUnknownImageWithoutAnError() {
    assertThat(imageStatus("test.invalid/none:1")).isFalse();
    node.cri().removeImage("test.invalid/none:1");
    assertThat(code(() -> node.cri().pull("127.0.0.1:1/none:1"))).isNotEqualTo(Status.Code.OK);
  }

  @Test
  void execTellsExitCodesAndBothStreams() {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("exec").build();
    String container = cri.run(cri.runPod(pod), node.sleeper("main").build(), pod);

    ExecSyncResponse response = cri.exec(container, "sh", "-c", "echo out; echo err >&2; exit 3");
    assertThat(response.getExitCode()).isEqualTo(3);
    assertThat(response.getStdout().toStringUtf8()).isEqualTo("out\n");
    assertThat(response.getStderr().toStringUtf8()).isEqualTo("err\n");

    assertThat(cri.exec(container, "sh", "-c", "kill -9 $$").getExitCode()).isEqualTo(137);
    assertThat(cri.exec(container, "head", "-c", "3000000", "/dev/zero").getStdout().size())
        .isEqualTo(3_000_000);
  }

  @Test
  void execThatTakesTooLongIsKilledWithItsChildren() {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("exec-timeout").build();
    String container = cri.run(cri.runPod(pod), node.sleeper("main").build(), pod);

    long begin = System.nanoTime();
    assertThat(code(() -> cri.exec(container, 1, "sh", "-c", "sleep 4711 & sleep 4712")))
        .isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Patience.ofSeconds(60));
    assertThat(cri.output(container, "ps")).doesNotContain("sleep 471");
  }

  @Test
  void execOfACommandThatIsNotThereFails() {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("exec-missing").build();
    String container = cri.run(cri.runPod(pod), node.sleeper("main").build(), pod);

    Failures.Outcome outcome =
        Failures.of(
            () -> {
              if (cri.exec(container, "no-such-command").getExitCode() == 0) {
                throw new AssertionError("a command that is not there has succeeded");
              }
            });
    assertThat(outcome.code()).isNotEqualTo(Status.Code.DEADLINE_EXCEEDED);
    assertThat(cri.output(container, "echo", "still", "here")).isEqualTo("still here");
  }

  @Test
  void execInAContainerThatEndsMeanwhileSaysThatItDoesNotRun() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("exec-ending").build();
    String podId = cri.runPod(pod);
    try (ExecutorService probes = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int round = 0; round < 10; round++) {
        String id = cri.run(podId, node.sleeper("ending-" + round).build(), pod);
        Callable<Status.Code> probe =
            () -> code(() -> Stream.generate(() -> cri.exec(id, "true")).forEach(_ -> {}));
        List<Future<Status.Code>> failures =
            Stream.generate(() -> probes.submit(probe)).limit(6).toList();
        cri.stop(id, 0);
        for (Future<Status.Code> failure : failures) {
          assertThat(failure.get()).isEqualTo(Status.Code.FAILED_PRECONDITION);
        }
        cri.remove(id);
      }
    }
  }

  @Test
  void startOfACommandThatIsNotThereIsAStartError() {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("start-error").build();
    String podId = cri.runPod(pod);
    String container = cri.create(podId, node.container("main", "/no/such/program").build(), pod);

    assertThat(Failures.of(() -> cri.start(container)).message()).contains("/no/such/program");
    ContainerStatus status = cri.status(container);
    assertThat(status.getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
    assertThat(status.getExitCode()).isEqualTo(128);
    assertThat(status.getReason()).isEqualTo("StartError");
    assertThat(status.getMessage()).contains("/no/such/program");
    cri.remove(container);
  }

  @Test
  void exitCodesAndReasons() {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("exits").build();
    String podId = cri.runPod(pod);

    ContainerStatus good =
        cri.awaitExit(cri.run(podId, node.container("good", "true").build(), pod));
    assertThat(good.getExitCode()).isZero();
    assertThat(good.getReason()).isEqualTo("Completed");

    ContainerStatus bad =
        cri.awaitExit(cri.run(podId, node.container("bad", "sh", "-c", "exit 42").build(), pod));
    assertThat(bad.getExitCode()).isEqualTo(42);
    assertThat(bad.getReason()).isEqualTo("Error");

    ContainerStatus killed =
        cri.awaitExit(
            cri.run(
                podId,
                node.container("killed", "sh", "-c", "kill -KILL -1; exec true").build(),
                pod));
    assertThat(killed.getReason()).isNotEqualTo("OOMKilled");
  }

  @Test
  void addressesOfBothFamiliesAreTold() {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("addresses").build();
    String podId = cri.runPod(pod);
    String container = cri.run(podId, node.sleeper("main").build(), pod);

    PodSandboxStatus status = cri.podStatus(podId);
    assertThat(status.getNetwork().getAdditionalIpsList())
        .singleElement()
        .satisfies(ip -> assertThat(ip.getIp()).startsWith(node.ipv6Prefix()));
    String inside = cri.output(container, "ip", "addr", "show", "eth0");
    assertThat(inside).contains(status.getNetwork().getIp());
    assertThat(inside).contains(status.getNetwork().getAdditionalIps(0).getIp());
    assertThat(cri.output(container, "ip", "route")).contains("default via");
  }

  private static boolean imageStatus(String image) {
    return node.cri()
        .images()
        .imageStatus(
            ImageStatusRequest.newBuilder()
                .setImage(ImageSpec.newBuilder().setImage(image))
                .build())
        .hasImage();
  }

  /** What a web server answers; it may need a moment to listen. */
  static String get(String url) throws Exception {
    long end = System.nanoTime() + Patience.ofSeconds(30).toNanos();
    try (HttpClient client =
        HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build()) {
      while (true) {
        try {
          return client
              .send(HttpRequest.newBuilder(URI.create(url)).build(), BodyHandlers.ofString())
              .body();
        } catch (IOException e) {
          if (System.nanoTime() > end) {
            throw e;
          }
          Thread.sleep(20);
        }
      }
    }
  }

  /** A pod and a container by one command, of which nothing is left where it fails. */
  @Test
  void aPersonRunsAContainer() {
    Shell.Result once =
        keelson("run", "--rm", "--name", "it-once", TestNode.IMAGE, "sh", "-c", "echo hi; exit 3");
    assertThat(once).isEqualTo(new Shell.Result(3, "hi\n"));
    Shell.Result fails = keelson("run", "--name", "it-fails", TestNode.IMAGE, "/not/there");
    assertThat(fails.exitCode()).isEqualTo(125);
    Shell.Result stays =
        keelson("run", "--detach", "--name", "it-stays", TestNode.IMAGE, "sleep", "600");
    try {
      assertThat(stays.exitCode()).as(stays.output()).isZero();
      Shell.Result again = keelson("run", "--detach", "--name", "it-stays", TestNode.IMAGE, "true");
      assertThat(again.exitCode()).isEqualTo(125);
      assertThat(again.output()).contains("already; remove it (keelson rm it-stays)");
      assertThat(keelson("pods").output())
          .contains("it-stays")
          .doesNotContain("it-once", "it-fails");
    } finally {
      assertThat(keelson("rm", "--force", "it-stays").exitCode()).isZero();
    }
  }

  private static Shell.Result keelson(String... words) {
    return Shell.run(node.keelson(words));
  }
}
