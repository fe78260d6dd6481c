package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.CDIDevice;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What CDI specs may ask for beside nodes, variables and network devices. */
class CdiIT {

  private static final String KIND = "vendor.example/thing";

  @RegisterExtension static final TestNode node = create();

  private static TestNode create() {
    TestNode node = TestNode.create();
    node.set("devices.cdi_dirs", "[\"" + node.base().resolve("cdi") + "\"]");
    return node;
  }

  private static void spec(String edits) throws IOException {
    Files.writeString(
        Files.createDirectories(node.base().resolve("cdi")).resolve("thing.yaml"),
        """
        cdiVersion: 1.1.0
        kind: %s
        devices:
          - name: one
            containerEdits:
              %s
        """
            .formatted(KIND, edits));
  }

  private static ContainerConfig.Builder asking() {
    return node.sleeper("main").addCDIDevices(CDIDevice.newBuilder().setName(KIND + "=one"));
  }

  private static String hook(String stage, Path seen) {
    return """
    - hookName: %1$s
      path: /bin/sh
      args: [sh, -c, 'echo "%1$s $WHO $(hostname)" >> %2$s']
      env: [WHO=cdi, "PATH=/bin:/usr/bin"]
      timeout: 10
    """
        .formatted(stage, seen)
        .indent(8);
  }

  /** Red if a hook does not run, or at another time, or in another place. */
  @Test
  void hooksRunAtTheirTimeAndPlace() throws Exception {
    Cri cri = node.cri();
    Path seen = node.folder("hooks").resolve("seen");
    StringBuilder hooks = new StringBuilder("hooks:\n");
    for (String stage : List.of("createRuntime", "createContainer", "poststart", "poststop")) {
      hooks.append(hook(stage, seen));
    }
    spec(hooks.append(hook("startContainer", Path.of("/seen"))).toString());
    PodSandboxConfig pod = node.pod("hooked").build();
    String container = cri.create(cri.runPod(pod), asking().build(), pod);
    assertThat(seen).as("nothing runs before the start").doesNotExist();
    cri.start(container);

    String host = Shell.output("hostname").strip();
    assertThat(Files.readAllLines(seen))
        .containsExactly(
            "createRuntime cdi " + host, "createContainer cdi hooked", "poststart cdi " + host);
    assertThat(cri.output(container, "cat", "/seen")).isEqualTo("startContainer cdi hooked");
    cri.stop(container, 0);
    cri.remove(container);
    assertThat(Files.readString(seen)).endsWith("poststop cdi " + host + "\n");
  }

  /** Red if a container starts although a hook of its device has failed. */
  @Test
  void aHookThatFailsKeepsTheContainerFromStarting() throws Exception {
    Cri cri = node.cri();
    spec("hooks: [{hookName: createRuntime, path: /bin/false}]");
    PodSandboxConfig pod = node.pod("refused").build();
    String container = cri.create(cri.runPod(pod), asking().build(), pod);
    assertThatThrownBy(() -> cri.start(container)).hasMessageContaining("hook");
  }

  /** Red if a group reaches the spec and not the processes, or takes the place of others. */
  @Test
  void groupsOfADeviceAreThoseOfAllProcesses() throws Exception {
    Cri cri = node.cri();
    spec("additionalGids: [4711, 4712]");
    PodSandboxConfig pod = node.pod("groups").build();
    ContainerConfig.Builder config = asking();
    config.getLinuxBuilder().getSecurityContextBuilder().addSupplementalGroups(4242);
    String container = cri.run(cri.runPod(pod), config.build(), pod);
    assertThat(cri.output(container, "id", "-G").split(" ")).contains("4242", "4711", "4712");
    assertThat(cri.output(container, "grep", "Groups:", "/proc/1/status").split("\\s+"))
        .contains("4242", "4711", "4712");
  }

  /** Red if a container runs without the cache that its device is to have, and nobody says so. */
  @Test
  void cacheOfItsOwnIsRefusedWhereTheHostHasNone() throws Exception {
    assumeFalse(Files.exists(Path.of("/sys/fs/resctrl/schemata")), "the host has resctrl");
    Cri cri = node.cri();
    spec("intelRdt: {closID: keelson-it, l3CacheSchema: 'L3:0=f'}");
    PodSandboxConfig pod = node.pod("cache").build();
    String podId = cri.runPod(pod);
    assertThatThrownBy(() -> cri.create(podId, asking().build(), pod))
        .hasMessageContaining("FAILED_PRECONDITION")
        .hasMessageContaining(KIND + "=one")
        .hasMessageContaining("resctrl");
  }
}
