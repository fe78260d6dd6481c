package io.keelson.integration;

import static io.keelson.integration.Failures.code;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.MethodDescriptor;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.Container;
import io.keelson.proto.cri.v1.ContainerFilter;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.ContainerStateValue;
import io.keelson.proto.cri.v1.ContainerStatusRequest;
import io.keelson.proto.cri.v1.ImageServiceGrpc;
import io.keelson.proto.cri.v1.ListContainersRequest;
import io.keelson.proto.cri.v1.ListPodSandboxRequest;
import io.keelson.proto.cri.v1.PodSandbox;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxFilter;
import io.keelson.proto.cri.v1.PodSandboxState;
import io.keelson.proto.cri.v1.PodSandboxStateValue;
import io.keelson.proto.cri.v1.PodSandboxStatusRequest;
import io.keelson.proto.cri.v1.ReopenContainerLogRequest;
import io.keelson.proto.cri.v1.RuntimeServiceGrpc;
import io.keelson.proto.cri.v1.UpdateContainerResourcesRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Known, unknown and short ids, and the filters of lists. */
class IdsAndListsIT {

  @RegisterExtension static final TestNode node = TestNode.create();

  @Test
  void whatAsksOfAnUnknownIdIsNotFound() {
    Cri cri = node.cri();
    String none = "0123456789abcdef".repeat(4);
    assertThat(code(() -> cri.status(none))).isEqualTo(Status.Code.NOT_FOUND);
    assertThat(code(() -> cri.podStatus(none))).isEqualTo(Status.Code.NOT_FOUND);
    assertThat(code(() -> cri.start(none))).isEqualTo(Status.Code.NOT_FOUND);
    assertThat(code(() -> cri.exec(none, "true"))).isEqualTo(Status.Code.NOT_FOUND);
    assertThat(
            code(
                () ->
                    cri.runtime()
                        .reopenContainerLog(
                            ReopenContainerLogRequest.newBuilder().setContainerId(none).build())))
        .isEqualTo(Status.Code.NOT_FOUND);
    assertThat(
            code(
                () ->
                    cri.runtime()
                        .updateContainerResources(
                            UpdateContainerResourcesRequest.newBuilder()
                                .setContainerId(none)
                                .build())))
        .isEqualTo(Status.Code.NOT_FOUND);
    PodSandboxConfig pod = node.pod("none").build();
    assertThat(code(() -> cri.create(none, node.sleeper("main").build(), pod)))
        .isEqualTo(Status.Code.NOT_FOUND);
  }

  /** Red if a call of the contract is nobody's work. */
  @Test
  void everyCallOfTheContractIsAnswered() {
    for (ServiceDescriptor service :
        List.of(
            RuntimeServiceGrpc.getServiceDescriptor(), ImageServiceGrpc.getServiceDescriptor())) {
      for (MethodDescriptor<?, ?> call : service.getMethods()) {
        assertThat(Failures.of(() -> askNothing(call)).message())
            .as(call.getFullMethodName())
            .doesNotContainPattern("Method .*(not found|unimplemented)");
      }
    }
  }

  private static <A, B> void askNothing(MethodDescriptor<A, B> call) {
    A nothing =
        ((MethodDescriptor.PrototypeMarshaller<A>) call.getRequestMarshaller())
            .getMessagePrototype();
    Channel channel = node.cri().runtime().getChannel();
    if (call.getType() == MethodDescriptor.MethodType.UNARY) {
      var _ =
          ClientCalls.blockingUnaryCall(
              channel, call, node.cri().runtime().getCallOptions(), nothing);
    } else { // that of the events has no end
      ClientCalls.blockingServerStreamingCall(
              channel, call, CallOptions.DEFAULT.withDeadlineAfter(1, TimeUnit.SECONDS), nothing)
          .forEachRemaining(_ -> {});
    }
  }

  @Test
  void stoppingAndRemovingTheUnknownIsNoError() {
    Cri cri = node.cri();
    for (String none : List.of("0123456789abcdef".repeat(4), "x", "../../etc")) {
      cri.stop(none, 1);
      cri.remove(none);
      cri.stopPod(none);
      cri.removePod(none);
    }
  }

  @Test
  void anEmptyIdIsRefusedAndNeverMeansAll() {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("only").build();
    String podId = cri.runPod(pod);

    assertThat(code(() -> cri.podStatus(""))).isNotEqualTo(Status.Code.OK);
    code(() -> cri.stopPod(""));
    code(() -> cri.removePod(""));
    assertThat(cri.podStatus(podId).getState()).isEqualTo(PodSandboxState.SANDBOX_READY);
  }

  @Test
  void whatIsWithoutMetadataIsRefused() {
    Cri cri = node.cri();
    assertThat(code(() -> cri.runPod(PodSandboxConfig.getDefaultInstance())))
        .isEqualTo(Status.Code.INVALID_ARGUMENT);
    PodSandboxConfig pod = node.pod("meta").build();
    String podId = cri.runPod(pod);
    assertThat(code(() -> cri.create(podId, node.sleeper("x").clearMetadata().build(), pod)))
        .isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(code(() -> cri.create(podId, node.sleeper("x").clearImage().build(), pod)))
        .isEqualTo(Status.Code.INVALID_ARGUMENT);
  }

  @Test
  void anUnknownRuntimeHandlerIsRefused() {
    assertThat(code(() -> node.cri().runPod(node.pod("handler").build(), "no-such")))
        .isIn(Status.Code.INVALID_ARGUMENT, Status.Code.NOT_FOUND, Status.Code.FAILED_PRECONDITION);
  }

  @Test
  void uniqueBeginningsOfIdsAreTaken() {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("short").build();
    String podId = cri.runPod(pod);
    String container = cri.run(podId.substring(0, 13), node.sleeper("main").build(), pod);

    assertThat(cri.podStatus(podId.substring(0, 12)).getId()).isEqualTo(podId);
    assertThat(cri.status(container.substring(0, 12)).getId()).isEqualTo(container);
    assertThat(cri.output(container.substring(0, 12), "echo", "me")).isEqualTo("me");
    cri.stop(container.substring(0, 12), 0);
    cri.remove(container.substring(0, 12));
    assertThat(code(() -> cri.status(container))).isEqualTo(Status.Code.NOT_FOUND);
  }

  /** Red if tools that read what other runtimes say do not find a pod's network here. */
  @Test
  void verboseStatusesHoldWhatToolsRead() throws Exception {
    PodSandboxConfig config = node.pod("told").build();
    String pod = node.cri().runPod(config);
    String container = node.cri().run(pod, node.sleeper("main").build(), config);

    JsonNode podInfo =
        info(
            node.cri()
                .runtime()
                .podSandboxStatus(
                    PodSandboxStatusRequest.newBuilder()
                        .setPodSandboxId(pod)
                        .setVerbose(true)
                        .build())
                .getInfoMap());
    String network = network(podInfo);
    assertThat(Path.of(network)).exists();
    JsonNode info =
        info(
            node.cri()
                .runtime()
                .containerStatus(
                    ContainerStatusRequest.newBuilder()
                        .setContainerId(container)
                        .setVerbose(true)
                        .build())
                .getInfoMap());
    assertThat(network(info)).isEqualTo(network);
    assertThat(info.at("/sandboxID").asText()).isEqualTo(pod);
    assertThat(info.at("/pid").asLong()).isPositive();
    assertThat(info.at("/runtimeSpec/process/args/0").asText()).isEqualTo("sh");
    assertThat(info.at("/runtimeSpec/linux/cgroupsPath").asText()).contains(container);
  }

  private static JsonNode info(Map<String, String> info) throws IOException {
    return new ObjectMapper().readTree(info.get("info"));
  }

  private static String network(JsonNode info) {
    return info.at("/runtimeSpec/linux/namespaces")
        .valueStream()
        .filter(one -> one.path("type").asText().equals("network"))
        .map(one -> one.path("path").asText())
        .findFirst()
        .orElseThrow();
  }

  @Test
  void listsAreFiltered() {
    Cri cri = node.cri();
    PodSandboxConfig red = node.pod("red").putLabels("colour", "red").build();
    PodSandboxConfig blue = node.pod("blue").putLabels("colour", "blue").build();
    String redId = cri.runPod(red);
    String blueId = cri.runPod(blue);
    String runs = cri.run(redId, node.sleeper("runs").putLabels("kind", "a").build(), red);
    String created =
        cri.create(blueId, node.sleeper("created").putLabels("kind", "b").build(), blue);

    assertThat(pods(PodSandboxFilter.newBuilder())).containsExactlyInAnyOrder(redId, blueId);
    assertThat(pods(PodSandboxFilter.newBuilder().setId(redId))).containsExactly(redId);
    assertThat(pods(PodSandboxFilter.newBuilder().setId(redId.substring(0, 12))))
        .containsExactly(redId);
    assertThat(pods(PodSandboxFilter.newBuilder().setId("ffffffffffffffffffff"))).isEmpty();
    assertThat(pods(PodSandboxFilter.newBuilder().putLabelSelector("colour", "blue")))
        .containsExactly(blueId);
    assertThat(pods(PodSandboxFilter.newBuilder().putLabelSelector("colour", "blue").setId(redId)))
        .isEmpty();

    assertThat(containers(ContainerFilter.newBuilder())).containsExactlyInAnyOrder(runs, created);
    assertThat(containers(ContainerFilter.newBuilder().setId(runs))).containsExactly(runs);
    assertThat(containers(ContainerFilter.newBuilder().setPodSandboxId(blueId)))
        .containsExactly(created);
    assertThat(containers(state(ContainerState.CONTAINER_RUNNING))).containsExactly(runs);
    assertThat(containers(ContainerFilter.newBuilder().putLabelSelector("kind", "b")))
        .containsExactly(created);
    assertThat(containers(state(ContainerState.CONTAINER_RUNNING).putLabelSelector("kind", "b")))
        .isEmpty();

    cri.stopPod(redId);
    assertThat(pods(podState(PodSandboxState.SANDBOX_READY))).containsExactly(blueId);
    assertThat(pods(podState(PodSandboxState.SANDBOX_NOTREADY))).containsExactly(redId);
    assertThat(containers(state(ContainerState.CONTAINER_EXITED))).containsExactly(runs);

    Container item =
        cri.containers().stream().filter(c -> c.getId().equals(created)).findAny().orElseThrow();
    assertThat(item.getPodSandboxId()).isEqualTo(blueId);
    assertThat(item.getMetadata().getName()).isEqualTo("created");
    assertThat(item.getImage().getImage()).isEqualTo(TestNode.IMAGE);
    assertThat(item.getImageRef()).isNotEmpty();
    assertThat(item.getCreatedAt()).isPositive();
  }

  private static ContainerFilter.Builder state(ContainerState state) {
    return ContainerFilter.newBuilder().setState(ContainerStateValue.newBuilder().setState(state));
  }

  private static PodSandboxFilter.Builder podState(PodSandboxState state) {
    return PodSandboxFilter.newBuilder()
        .setState(PodSandboxStateValue.newBuilder().setState(state));
  }

  private static List<String> pods(PodSandboxFilter.Builder filter) {
    return node
        .cri()
        .runtime()
        .listPodSandbox(ListPodSandboxRequest.newBuilder().setFilter(filter).build())
        .getItemsList()
        .stream()
        .map(PodSandbox::getId)
        .toList();
  }

  private static List<String> containers(ContainerFilter.Builder filter) {
    return node
        .cri()
        .runtime()
        .listContainers(ListContainersRequest.newBuilder().setFilter(filter).build())
        .getContainersList()
        .stream()
        .map(Container::getId)
        .toList();
  }
}
