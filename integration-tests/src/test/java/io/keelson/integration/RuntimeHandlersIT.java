package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.keelson.integration.harness.ContainerGroup;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.RuntimeHandler;
import io.keelson.proto.cri.v1.StatusRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Runtime handlers with options of their own, and what all containers of a node have. */
class RuntimeHandlersIT {

  @RegisterExtension static final TestNode node = TestNode.bare();

  /** Other tests of this class would each need another configuration, and so another daemon. */
  @Test
  void eachHandlerHasItsOwnOptions() throws IOException {
    Path networks = node.folder("cni-special");
    Files.writeString(
        networks.resolve("10-special.conflist"),
        """
        {"cniVersion": "1.0.0", "name": "special", "plugins": [
          {"type": "bridge", "bridge": "%s", "isGateway": true, "ipam": {"type": "host-local",
           "dataDir": "%s", "subnet": "%s.0.0/24"}}]}
        """
            .formatted(node.bridge() + "x", node.base().resolve("ipam"), node.externalPrefix()));
    Path wrapper = node.folder("runtimes").resolve("special-runtime");
    Path calls = node.folder("calls").resolve("calls");
    Files.writeString(wrapper, "#!/bin/sh\necho called >> %s\nexec crun \"$@\"\n".formatted(calls));
    Files.setPosixFilePermissions(wrapper, PosixFilePermissions.fromString("rwxr-xr-x"));
    node.set("runtimes.special.path", "\"" + wrapper + "\"")
        .set("runtimes.special.type", "\"other\"")
        .set("runtimes.special.annotations", "[\"example.org/handler=special\"]")
        .set("runtimes.special.snapshot_backend", "\"overlay\"")
        .set("runtimes.special.cni_conf_dir", "\"" + networks + "\"")
        .set("runtimes.odd.path", "\"crun\"")
        .set("runtimes.odd.snapshot_backend", "\"bind\"")
        .set("containers.pids_limit", "77")
        .set("containers.rlimits", "[\"nofile=321:654\", \"core=0\"]");
    node.writeConfiguration();
    node.start();
    Cri cri = node.cri();

    PodSandboxConfig usual = node.pod("usual").build();
    String usualPod = cri.runPod(usual);
    String usualId = cri.run(usualPod, node.sleeper("main").build(), usual);
    assertThat(cri.podStatus(usualPod).getNetwork().getIp()).startsWith(node.ipv4Prefix());
    assertThat(calls).doesNotExist();
    assertThat(spec(usualId)).doesNotContain("example.org/handler");
    assertThat(ContainerGroup.of(usualId).pidsLimit()).isEqualTo(77);
    assertThat(cri.output(usualId, "cat", "/proc/1/limits").lines())
        .anyMatch(line -> line.matches("Max open files +321 +654 +files *"))
        .anyMatch(line -> line.matches("Max core file size +0 +0 +bytes *"));

    PodSandboxConfig pod = node.pod("special").build();
    String podId = cri.runPod(pod, "special");
    String id = cri.run(podId, node.sleeper("main").build(), pod);
    assertThat(cri.output(id, "echo", "it", "runs")).isEqualTo("it runs");
    assertThat(cri.podStatus(podId).getNetwork().getIp()).startsWith(node.externalPrefix());
    assertThat(cri.podStatus(podId).getRuntimeHandler()).isEqualTo("special");
    assertThat(calls).exists();
    assertThat(spec(id)).contains("\"example.org/handler\":\"special\"");

    node.killAndStart();
    assertThat(cri.output(id, "echo", "still")).isEqualTo("still");
    cri.removePod(podId);
    try (Stream<Path> left = Files.list(node.base().resolve("ipam/special"))) {
      assertThat(left.map(file -> String.valueOf(file.getFileName())))
          .as("addresses of the handler's network")
          .noneMatch(name -> name.startsWith(node.externalPrefix()));
    }

    assertThat(Failures.of(() -> cri.runPod(node.pod("unknown").build(), "no-such-runtime")))
        .satisfies(
            outcome -> {
              assertThat(outcome.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
              assertThat(outcome.message()).contains("no-such-runtime", "special");
            });
    assertThat(cri.runtime().status(StatusRequest.getDefaultInstance()).getRuntimeHandlersList())
        .extracting(RuntimeHandler::getName)
        .containsAll(List.of("", "crun", "special", "odd"));
  }

  private static String spec(String container) throws IOException {
    return Files.readString(
        node.state().resolve("containers").resolve(container).resolve("config.json"));
  }
}
