package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.integration.harness.ContainerGroup;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.ContainerStatus;
import io.keelson.proto.cri.v1.IDMapping;
import io.keelson.proto.cri.v1.Mount;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxState;
import io.keelson.proto.cri.v1.PodSandboxStatus;
import io.keelson.proto.cri.v1.UserNamespace;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The daemon goes and comes back; pods stay, and nothing that happened meanwhile is lost. */
class RestartIT {

  @RegisterExtension static final TestNode node = TestNode.create();

  /** Prints what is sent to the socket that it is given; perl is on every Debian. */
  private static final String MANAGER =
      """
      $| = 1;
      socket(S, AF_UNIX, SOCK_DGRAM, 0) && bind(S, sockaddr_un($ARGV[0])) || die $!;
      print "listens\\n";
      while (defined(recv(S, my $told, 4096, 0))) { print "$told\\n"; }
      """;

  @Test
  void sigtermEndsTheDaemonCleanlyAndLeavesPodsAlone() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("stays").build();
    String podId = cri.runPod(pod);
    String web =
        cri.run(podId, node.container("web", "httpd", "-f", "-p", "80", "-h", "/www").build(), pod);
    PodSandboxStatus before = cri.podStatus(podId);
    ContainerStatus webBefore = cri.status(web);
    List<Long> pids = ContainerGroup.pids(web);

    assertThat(node.daemon().terminate()).isIn(0, 143);
    assertThat(node.socket()).doesNotExist();
    assertThat(MainPathIT.get("http://" + before.getNetwork().getIp() + "/"))
        .as("while the daemon is away")
        .isEqualTo("hello from the pod\n");
    node.daemon().start();
    cri.reconnect();

    assertThat(cri.podStatus(podId)).isEqualTo(before);
    assertThat(cri.status(web)).isEqualTo(webBefore);
    assertThat(ContainerGroup.pids(web)).isEqualTo(pids);
    assertThat(cri.output(web, "echo", "hello")).isEqualTo("hello");
    cri.stop(web, 0);
    assertThat(cri.status(web).getExitCode()).isEqualTo(137);
  }

  /**
   * Red if what the daemon names, writes or makes depends on the language or umask of its caller.
   */
  @Test
  void whoStartsItChangesNothing() throws Exception {
    Path folder = Files.createDirectories(node.base().resolve("größe"));
    Files.writeString(folder.resolve("file"), "found");
    Map<String, String> locale =
        Map.of("LC_ALL", "C", "KEELSON_JAVA_OPTS", "-Duser.language=ar -Duser.country=EG");
    node.daemon().terminate();
    node.daemon().start(locale);
    node.daemon().awaitServing();
    Cri cri = node.cri();
    cri.reconnect();
    assertThat(Path.of("/proc", Long.toString(node.daemon().pid()), "status"))
        .content()
        .contains("Umask:\t0022");
    PodSandboxConfig pod =
        node.pod("lingual")
            .putAnnotations("volumes.keelson.io/m", "{\"tmpfs\": {\"sizeBytes\": 1048576}}")
            .build();
    Mount mount =
        Mount.newBuilder().setHostPath(folder.toString()).setContainerPath("/data").build();
    String id =
        cri.run(
            cri.runPod(pod),
            node.sleeper("main")
                .addMounts(mount)
                .putAnnotations("mounts.keelson.io/m", "/memory")
                .build(),
            pod);
    assertThat(cri.output(id, "cat", "/data/file")).isEqualTo("found");
    PodSandboxConfig.Builder mapped = node.pod("mapped");
    IDMapping.Builder range = IDMapping.newBuilder().setHostId(200_000).setLength(65_536);
    mapped
        .getLinuxBuilder()
        .getSecurityContextBuilder()
        .getNamespaceOptionsBuilder()
        .setUsernsOptions(UserNamespace.newBuilder().addUids(range).addGids(range));
    assertThat(cri.podStatus(cri.runPod(mapped.build())).getState())
        .as("numbers that the kernel reads")
        .isEqualTo(PodSandboxState.SANDBOX_READY);
    ProcessBuilder command = new ProcessBuilder(node.keelson("exec", id, "echo", "größe"));
    command.environment().putAll(locale);
    Process exec = command.start();
    assertThat(exec.inputReader(StandardCharsets.UTF_8).readLine()).isEqualTo("größe");
    assertThat(exec.waitFor()).isZero();
    node.restart();
    assertThat(cri.output(id, "cat", "/data/file")).isEqualTo("found");
    node.removeAllPods();
    Files.delete(folder.resolve("file"));
    Files.delete(folder);
  }

  @Test
  void theServiceManagerIsToldWhenTheDaemonServesAndWhenItEnds() throws Exception {
    String socket = node.base().resolve("notify").toString();
    node.daemon().terminate();
    Process manager = new ProcessBuilder("perl", "-MSocket", "-e", MANAGER, socket).start();
    try {
      assertThat(manager.inputReader().readLine()).isEqualTo("listens");
      node.daemon().start(Map.of("NOTIFY_SOCKET", socket));
      assertThat(manager.inputReader().readLine()).isEqualTo("READY=1");
      node.cri().reconnect();
      assertThat(node.cri().pods()).isEmpty();
      node.daemon().terminate();
      assertThat(manager.inputReader().readLine()).isEqualTo("STOPPING=1");
    } finally {
      manager.destroyForcibly().waitFor();
    }
    node.daemon().start();
    node.cri().reconnect();
  }

  @Test
  void exitCodesThatCameMeanwhileAreTold() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("meanwhile").build();
    String podId = cri.runPod(pod);
    String ends =
        cri.run(podId, node.container("ends", "sh", "-c", "sleep 0.5; exit 9").build(), pod);
    String good = cri.run(podId, node.container("good", "sh", "-c", "sleep 0.5").build(), pod);
    String over = cri.run(podId, node.container("over", "sh", "-c", "exit 4").build(), pod);
    String never = cri.create(podId, node.sleeper("never").build(), pod);
    cri.awaitExit(over);
    node.daemon().kill();
    Waits.until(
        () -> ContainerGroup.pids(ends).isEmpty() && ContainerGroup.pids(good).isEmpty(),
        "the ends");
    // Their monitors may write down the end a moment later.
    for (String id : List.of(ends, good)) {
      Waits.until(() -> Files.exists(node.state().resolve("exits").resolve(id)), "the exit file");
    }
    Instant ended = Instant.now();
    Waits.sleep(Duration.ofMillis(1200));
    node.daemon().start();
    cri.reconnect();

    assertThat(cri.awaitExit(ends).getExitCode()).isEqualTo(9);
    assertThat(cri.status(ends).getReason()).isEqualTo("Error");
    assertThat(Instant.ofEpochSecond(0, cri.status(ends).getFinishedAt()))
        .as("the time of the end, not of the start of the daemon")
        .isBefore(ended.plusMillis(1000));
    assertThat(cri.awaitExit(good).getReason()).isEqualTo("Completed");
    assertThat(cri.status(over).getExitCode()).isEqualTo(4);
    assertThat(cri.status(never).getState()).isEqualTo(ContainerState.CONTAINER_CREATED);
    cri.start(never);
    assertThat(cri.status(never).getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
    assertThat(cri.podStatus(podId).getState()).isEqualTo(PodSandboxState.SANDBOX_READY);
  }

  @Test
  void aStoppedPodStaysStopped() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("stopped").build();
    String podId = cri.runPod(pod);
    String container = cri.run(podId, node.sleeper("main").build(), pod);
    cri.stopPod(podId);
    node.killAndStart();
    assertThat(cri.podStatus(podId).getState()).isEqualTo(PodSandboxState.SANDBOX_NOTREADY);
    assertThat(cri.status(container).getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
  }

  @Test
  void imagesAreThereAgain() throws Exception {
    String id =
        node.cri().listImages().stream()
            .filter(image -> image.getRepoTagsList().contains(TestNode.IMAGE))
            .findAny()
            .orElseThrow()
            .getId();
    node.killAndStart();
    assertThat(node.cri().listImages()).anyMatch(image -> image.getId().equals(id));
  }

  @Test
  void aPodWhoseNamespacesAreGoneIsToldAsNotReady() throws Exception {
    Cri cri = node.cri();
    String podId = cri.runPod(node.pod("gone").build());
    node.daemon().kill();
    Path netns = node.base().resolve("netns/keelson-" + podId);
    Shell.output("umount", "-l", netns.toString());
    Files.delete(netns);
    node.daemon().start();
    cri.reconnect();
    assertThat(cri.podStatus(podId).getState()).isEqualTo(PodSandboxState.SANDBOX_NOTREADY);
    cri.removePod(podId);
  }

  @Test
  void aRecordThatIsRubbishHindersNoStart() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("rubbish").build();
    String bad = cri.runPod(pod);
    String good = cri.runPod(node.pod("fine").build());
    node.daemon().kill();
    try (var files = Files.walk(node.root().resolve("sandboxes").resolve(bad))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.write(file, new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9});
      }
    }
    node.daemon().start();
    cri.reconnect();
    assertThat(cri.podStatus(good).getState()).isEqualTo(PodSandboxState.SANDBOX_READY);
    assertThat(cri.runPod(pod)).isNotEqualTo(bad);
  }

  @Test
  void theEndOfAContainerIsSeenThoughItsMonitorWasKilled() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("monitor").build();
    String id = cri.run(cri.runPod(pod), node.sleeper("main").build(), pod);
    for (long pid : monitors(id)) {
      ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    }
    cri.stop(id, 0);
    assertThat(cri.awaitExit(id).getExitCode()).isNotZero();
  }

  private static List<Long> monitors(String containerId) throws IOException {
    try (var processes = Files.list(Path.of("/proc"))) {
      return processes
          .filter(path -> Character.isDigit(String.valueOf(path.getFileName()).charAt(0)))
          .filter(
              path -> {
                try {
                  String command = Files.readString(path.resolve("cmdline"));
                  return command.contains("conmon") && command.contains(containerId);
                } catch (IOException e) {
                  return false;
                }
              })
          .map(path -> Long.parseLong(String.valueOf(path.getFileName())))
          .toList();
    }
  }
}
