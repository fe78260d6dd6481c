package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.keelson.integration.harness.NriPlugin;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.KeyValue;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxState;
import io.keelson.proto.cri.v1.UpdateContainerResourcesRequest;
import io.keelson.proto.cri.v1.UpdatePodSandboxResourcesRequest;
import io.keelson.proto.nri.v1alpha1.ConfigureRequest;
import io.keelson.proto.nri.v1alpha1.Container;
import io.keelson.proto.nri.v1alpha1.PodSandbox;
import io.keelson.proto.nri.v1alpha1.SynchronizeRequest;
import io.keelson.proto.nri.v1alpha1.UpdateContainersResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Plugins of the Node Resource Interface, in processes of their own over real sockets. */
class NriIT {

  private static final Duration SOON = Duration.ofSeconds(30);

  @RegisterExtension
  static final TestNode node =
      TestNode.create()
          .set("nri.request_timeout", "\"8s\"")
          .set("nri.rejected_adjustments", "[\"namespaces\"]");

  private static NriPlugin connect(String index, String name, String... orders) throws IOException {
    return NriPlugin.connect(node.nriSocket(), index, name, orders);
  }

  /** Red if an event is lost, doubled, out of order, or lacks what plugins look at first. */
  @Test
  void everyTurnReachesAPluginOnceAndInItsOrder() throws Exception {
    try (NriPlugin plugin = connect("10", "whole")) {
      PodSandboxConfig.Builder config = node.pod("turns").putAnnotations("team", "blue");
      String pod = node.cri().runPod(config.build());
      String container = node.cri().run(pod, node.sleeper("main").build(), config.build());
      update(container, LinuxContainerResources.newBuilder().setCpuShares(512));
      node.cri()
          .runtime()
          .updatePodSandboxResources(
              UpdatePodSandboxResourcesRequest.newBuilder()
                  .setPodSandboxId(pod)
                  .setResources(LinuxContainerResources.newBuilder().setCpuShares(700))
                  .build());
      node.cri().stop(container, 10);
      await().atMost(SOON).until(() -> !plugin.calls("StopContainer").isEmpty());
      node.cri().remove(container);
      node.cri().stopPod(pod);
      node.cri().stopPod(pod);
      node.cri().removePod(pod);

      assertThat(plugin.methods())
          .containsExactly(
              "RunPodSandbox",
              "CreateContainer",
              "ValidateContainerAdjustment",
              "PostCreateContainer",
              "StartContainer",
              "PostStartContainer",
              "UpdateContainer",
              "PostUpdateContainer",
              "UpdatePodSandbox",
              "PostUpdatePodSandbox",
              "StopContainer",
              "RemoveContainer",
              "StopPodSandbox",
              "RemovePodSandbox");
      PodSandbox told = plugin.await("RunPodSandbox").pod();
      assertThat(told.getId()).isEqualTo(pod);
      assertThat(told.getName()).isEqualTo("turns");
      assertThat(told.getUid()).isEqualTo(config.getMetadata().getUid());
      assertThat(told.getNamespace()).isEqualTo("it");
      assertThat(told.getAnnotationsMap()).containsEntry("team", "blue");
      assertThat(told.getIpsList()).first().asString().startsWith("10.");
      Container created = plugin.await("CreateContainer").container();
      assertThat(created.getId()).isEqualTo(container);
      assertThat(created.getPodSandboxId()).isEqualTo(pod);
      assertThat(created.getName()).isEqualTo("main");
      assertThat(created.getArgsList()).startsWith("sh", "-c");
      assertThat(created.getMountsList())
          .anyMatch(mount -> mount.getDestination().equals("/etc/hosts"));
      assertThat(plugin.await("StartContainer").container().getPid()).isPositive();
      assertThat(plugin.await("PostStartContainer").container().getStartedAt()).isPositive();
      assertThat(
              plugin
                  .await("PostUpdateContainer")
                  .container()
                  .getLinux()
                  .getResources()
                  .getCpu()
                  .getShares()
                  .getValue())
          .isEqualTo(512);
    }
  }

  /** Red if the sandbox can be seen or used before its hook has ended. */
  @Test
  void aSandboxIsHiddenUntilItsHookEnds() throws Exception {
    try (NriPlugin plugin = connect("10", "slow", "hang RunPodSandbox")) {
      PodSandboxConfig.Builder config = node.pod("hidden");
      CompletableFuture<String> running =
          CompletableFuture.supplyAsync(() -> node.cri().runPod(config.build()));
      String pod = plugin.await("RunPodSandbox").pod().getId();

      assertThat(node.cri().pods()).noneMatch(one -> one.getId().equals(pod));
      assertThatThrownBy(
              () -> node.cri().create(pod, node.sleeper("early").build(), config.build()))
          .isInstanceOfSatisfying(
              StatusRuntimeException.class,
              e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND));
      plugin.order("obey RunPodSandbox");

      assertThat(running.get()).isEqualTo(pod);
      assertThat(node.cri().podStatus(pod).getState()).isEqualTo(PodSandboxState.SANDBOX_READY);
    }
  }

  /** Red if a refusal leaves a pod or container, or keeps the next try from succeeding. */
  @Test
  void whatAPluginRefusesIsUndoneAndCanBeTriedAgain() throws Exception {
    try (NriPlugin plugin =
        connect("10", "strict", "fail RunPodSandbox no pods", "fail CreateContainer no way")) {
      PodSandboxConfig config = node.pod("refused").build();
      assertThatThrownBy(() -> node.cri().runPod(config)).hasMessageContaining("no pods");
      assertThat(node.cri().pods()).isEmpty();
      plugin.order("obey RunPodSandbox");
      String pod = node.cri().runPod(config);

      assertThatThrownBy(() -> node.cri().create(pod, node.sleeper("main").build(), config))
          .hasMessageContaining("10-strict")
          .hasMessageContaining("no way");
      assertThat(node.cri().containers()).isEmpty();
      plugin.order("obey CreateContainer");
      plugin.order("fail StartContainer not today");
      String container = node.cri().create(pod, node.sleeper("main").build(), config);
      assertThatThrownBy(() -> node.cri().start(container)).hasMessageContaining("not today");
      assertThat(node.cri().status(container).getState())
          .isEqualTo(ContainerState.CONTAINER_EXITED);
      node.cri().remove(container);

      assertThat(plugin.methods())
          .containsExactly(
              "RunPodSandbox",
              "StopPodSandbox",
              "RemovePodSandbox",
              "RunPodSandbox",
              "CreateContainer",
              "StopContainer",
              "RemoveContainer",
              "CreateContainer",
              "ValidateContainerAdjustment",
              "PostCreateContainer",
              "StartContainer",
              "StopContainer",
              "RemoveContainer");
    }
  }

  /** Red if an adjustment comes to nothing and nobody is told. */
  @Test
  void anAdjustmentThatTheRuntimeDoesNotKnowIsToldInTheLog() throws Exception {
    String policy = "reply CreateContainer adjust { linux { memory_policy { mode: MPOL_LOCAL } } }";
    boolean known = Shell.output("sh", "-c", "crun features || true").contains("MPOL_LOCAL");
    try (NriPlugin plugin = connect("10", "numa", policy)) {
      PodSandboxConfig config = node.pod("ignored").build();
      String pod = node.cri().runPod(config);
      String container = node.cri().create(pod, node.sleeper("main").build(), config);
      plugin.await("CreateContainer");
      assertThat(
              node.daemon()
                  .log()
                  .lines()
                  .filter(line -> line.contains(container) && line.contains("MemoryPolicy"))
                  .toList())
          .hasSize(known ? 0 : 1)
          .allMatch(line -> line.contains("numa") && line.contains("crun"));
    }
  }

  /** Red if an adjustment is not in the container, or not in its status. */
  @Test
  void adjustmentsAreInTheContainer() throws Exception {
    String adjust =
        """
        reply CreateContainer adjust {
          annotations { key: "seen" value: "yes" }
          env { key: "ADDED" value: "by a plugin" }
          env { key: "-GONE" }
          mounts { destination: "/extra" type: "tmpfs" source: "tmpfs" options: "size=64k" }
          mounts { destination: "/extra/deep" type: "tmpfs" source: "tmpfs" options: "ro" }
          rlimits { type: "RLIMIT_NOFILE" hard: 321 soft: 123 }
          hooks { create_runtime { path: "/bin/sh" args: "sh" args: "-c" args: "touch %s" } }
          linux {
            devices { path: "/dev/extra" type: "c" major: 1 minor: 3 file_mode { value: 438 } }
            resources {
              memory { limit { value: 67108864 } }
              cpu { shares { value: 333 } }
              pids { limit: 77 }
            }
            oom_score_adj { value: 777 }
            sysctl { key: "net.ipv4.ip_unprivileged_port_start" value: "99" }
          }
        }\
        """
            .formatted(node.base().resolve("hooked"))
            .replace('\n', ' ');
    try (NriPlugin plugin = connect("10", "adjuster", adjust)) {
      PodSandboxConfig config = node.pod("adjusted").build();
      String pod = node.cri().runPod(config);
      String container =
          node.cri()
              .run(
                  pod,
                  node.sleeper("main")
                      .addEnvs(
                          KeyValue.newBuilder()
                              .setKey("GONE")
                              .setValue(ByteString.copyFromUtf8("1")))
                      .build(),
                  config);

      assertThat(node.cri().output(container, "sh", "-c", "echo $ADDED:${GONE-none}"))
          .isEqualTo("by a plugin:none");
      assertThat(node.cri().output(container, "sh", "-c", "mount | grep -c ' on /extra'"))
          .isEqualTo("2");
      assertThat(node.cri().output(container, "sh", "-c", "ulimit -n; ulimit -Hn"))
          .isEqualTo("123\n321");
      assertThat(
              node.cri()
                  .output(container, "sh", "-c", "echo x >/dev/extra; stat -c %t:%T /dev/extra"))
          .isEqualTo("1:3");
      assertThat(node.cri().output(container, "cat", "/proc/1/oom_score_adj")).isEqualTo("777");
      assertThat(
              node.cri().output(container, "cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start"))
          .isEqualTo("99");
      assertThat(node.base().resolve("hooked")).exists();
      LinuxContainerResources shown = node.cri().status(container).getResources().getLinux();
      assertThat(shown.getMemoryLimitInBytes()).isEqualTo(67108864);
      assertThat(shown.getCpuShares()).isEqualTo(333);
      Container started = plugin.await("StartContainer").container();
      assertThat(started.getAnnotationsMap()).containsEntry("seen", "yes");
      assertThat(started.getLinux().getResources().getPids().getLimit()).isEqualTo(77);
      assertThat(started.getEnvList()).contains("ADDED=by a plugin");
    }
  }

  /** Red if plugins are asked out of order, or two may set the same, or a validator is ignored. */
  @Test
  void pluginsBuildOnEachOtherButDoNotFight() throws Exception {
    String reply = "reply CreateContainer adjust { env { key: \"%s\" value: \"%s\" } }";
    try (NriPlugin late = connect("90", "late", reply.formatted("SECOND", "2"));
        NriPlugin early = connect("05", "early", reply.formatted("FIRST", "1"))) {
      PodSandboxConfig config = node.pod("layers").build();
      String pod = node.cri().runPod(config);
      String container = node.cri().run(pod, node.sleeper("both").build(), config);
      assertThat(node.cri().output(container, "sh", "-c", "echo $FIRST$SECOND")).isEqualTo("12");
      assertThat(late.await("CreateContainer").container().getEnvList()).contains("FIRST=1");
      assertThat(early.await("CreateContainer").container().getEnvList())
          .doesNotContain("SECOND=2");

      late.order(reply.formatted("FIRST", "3"));
      assertThatThrownBy(() -> node.cri().create(pod, node.sleeper("fight").build(), config))
          .hasMessageContaining("05-early")
          .hasMessageContaining("90-late")
          .hasMessageContaining("FIRST");

      late.order("reply CreateContainer adjust { env { key: \"-FIRST\" } }");
      String cleared = node.cri().run(pod, node.sleeper("cleared").build(), config);
      assertThat(node.cri().output(cleared, "sh", "-c", "echo ${FIRST-none}")).isEqualTo("none");

      late.order("reply ValidateContainerAdjustment reject: true reason: \"not in my house\"");
      assertThatThrownBy(() -> node.cri().create(pod, node.sleeper("judged").build(), config))
          .hasMessageContaining("90-late")
          .hasMessageContaining("not in my house");
    }
  }

  /**
   * Red if a container is made without a plugin that its pod requires, or with what none may do.
   */
  @Test
  void theNodesOwnRulesHold() throws Exception {
    PodSandboxConfig config =
        node.pod("ruled").putAnnotations("required-plugins.noderesource.dev", "[guard]").build();
    String pod = node.cri().runPod(config);
    assertThatThrownBy(() -> node.cri().create(pod, node.sleeper("main").build(), config))
        .hasMessageContaining("guard")
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION));
    assertThat(node.cri().containers()).isEmpty();

    String mine = "reply CreateContainer adjust { linux { namespaces { type: \"uts\" } } }";
    try (NriPlugin plugin = connect("10", "guard", mine)) {
      assertThatThrownBy(() -> node.cri().create(pod, node.sleeper("main").build(), config))
          .hasMessageContaining("10-guard")
          .hasMessageContaining("namespaces");
      plugin.order("die CreateContainer");
      assertThatThrownBy(() -> node.cri().create(pod, node.sleeper("main").build(), config))
          .hasMessageContaining("guard");
    }
    try (NriPlugin _ = connect("10", "guard")) {
      node.cri().run(pod, node.sleeper("main").build(), config);
    }
  }

  /** Red if a CDI device that a plugin names is not given whole, its network interface too. */
  @Test
  void aPluginGivesCdiDevices() throws Exception {
    long pid = ProcessHandle.current().pid();
    String kind = "nri" + pid + ".example/thing";
    String link = "kitcdi" + pid % 100_000;
    Path spec = Path.of("/var/run/cdi/keelson-it-nri-" + pid + ".yaml");
    Files.createDirectories(spec.getParent());
    Files.writeString(
        spec,
        """
        cdiVersion: 1.1.0
        kind: %s
        devices:
          - name: one
            containerEdits:
              env: [ONE=1]
              netDevices: [{hostInterfaceName: %s, name: fast0}]
        """
            .formatted(kind, link));
    Shell.output("ip", "link", "add", link, "type", "veth", "peer", "name", link + "p");
    String wanted =
        "reply CreateContainer adjust { CDI_devices { name: \"%s=one\" } }".formatted(kind);
    try (NriPlugin _ = connect("10", "cdi", wanted)) {
      PodSandboxConfig config = node.pod("cdi").build();
      String pod = node.cri().runPod(config);
      String container = node.cri().run(pod, node.sleeper("main").build(), config);
      assertThat(node.cri().output(container, "sh", "-c", "echo $ONE; ls /sys/class/net"))
          .startsWith("1")
          .contains("fast0");
      node.cri().stopPod(pod);
      node.cri().removePod(pod);
      assertThat(Shell.output("ip", "link", "show", link)).contains(link);
    } finally {
      Shell.output("ip", "link", "del", link + "p");
      Files.delete(spec);
    }
  }

  /** Red if a class of block I/O does not reach the container's control group. */
  @Test
  void aClassOfBlockIoLimitsTheContainer() throws Exception {
    Path disk;
    try (Stream<Path> disks = Files.list(Path.of("/sys/block"))) {
      disk = disks.sorted().findFirst().orElseThrow();
    }
    Files.writeString(
        node.nriBlockIo(),
        "Classes: {slow: [{Devices: [/dev/%s], ThrottleReadBps: 5M}]}"
            .formatted(disk.getFileName()));
    String wanted =
        "reply CreateContainer adjust { linux { resources { blockio_class { value: \"%s\" } } } }";
    try (NriPlugin plugin = connect("10", "classes", wanted.formatted("slow"))) {
      PodSandboxConfig config = node.pod("throttled").build();
      String pod = node.cri().runPod(config);
      String container = node.cri().run(pod, node.sleeper("main").build(), config);
      assertThat(
              node.cri()
                  .output(
                      container,
                      "sh",
                      "-c",
                      "cd /sys/fs/cgroup; cat blkio/blkio.throttle.read_bps_device 2>&- || cat"
                          + " io.max"))
          .startsWith(Files.readString(disk.resolve("dev")).strip())
          .contains("5000000");

      plugin.order(wanted.formatted("unheard"));
      assertThatThrownBy(() -> node.cri().create(pod, node.sleeper("other").build(), config))
          .hasMessageContaining("unheard");
    }
  }

  /** Red if a plugin can't change containers beside the one that it is asked about. */
  @Test
  void pluginsChangeAndEvictOtherContainers() throws Exception {
    try (NriPlugin plugin = connect("10", "balancer")) {
      PodSandboxConfig config = node.pod("balanced").build();
      String pod = node.cri().runPod(config);
      String first = node.cri().run(pod, node.sleeper("first").build(), config);
      plugin.order(
          "reply CreateContainer update { container_id: \"%s\" linux { resources { cpu { shares {"
                  .formatted(first)
              + " value: 222 } } } } } update { container_id: \"nobody\" ignore_failure: true }");
      String second = node.cri().run(pod, node.sleeper("second").build(), config);
      assertThat(shares(first)).isEqualTo(222);

      plugin.order("obey CreateContainer");
      plugin.order(
          "update update { container_id: \"%s\" linux { resources { cpu { shares { value: 444 } }"
                  .formatted(second)
              + " } } } update { container_id: \"nobody\" }");
      UpdateContainersResponse answer =
          UpdateContainersResponse.parseFrom(
              Base64.getDecoder().decode(plugin.awaitLine("updated ").split(" ", 2)[1]));
      assertThat(answer.getFailedList())
          .singleElement()
          .satisfies(failed -> assertThat(failed.getContainerId()).isEqualTo("nobody"));
      assertThat(shares(second)).isEqualTo(444);

      plugin.order(
          "reply UpdateContainer update { container_id: \"%s\" linux { resources { cpu { shares {"
                  .formatted(first)
              + " value: 555 } } } } }");
      update(first, LinuxContainerResources.newBuilder().setCpuShares(100).setCpuQuota(50_000));
      LinuxContainerResources revised = node.cri().status(first).getResources().getLinux();
      assertThat(revised.getCpuShares()).isEqualTo(555);
      assertThat(revised.getCpuQuota()).isEqualTo(50_000);

      plugin.order("update evict { container_id: \"%s\" reason: \"no room\" }".formatted(second));
      assertThat(node.cri().awaitExit(second).getState())
          .isEqualTo(ContainerState.CONTAINER_EXITED);
    }
  }

  /** Red if the stop hook comes while containers run or after the sandbox has gone. */
  @Test
  void whileThePodStopsItsContainersHaveEndedAndTheSandboxIsThere() throws Exception {
    try (NriPlugin plugin = connect("10", "stopper", "hang StopPodSandbox")) {
      PodSandboxConfig config = node.pod("stopping").build();
      String pod = node.cri().runPod(config);
      String container = node.cri().run(pod, node.sleeper("main").build(), config);
      CompletableFuture<Void> stopping = CompletableFuture.runAsync(() -> node.cri().stopPod(pod));
      plugin.await("StopPodSandbox");

      assertThat(node.cri().status(container).getState())
          .isEqualTo(ContainerState.CONTAINER_EXITED);
      assertThat(node.cri().podStatus(pod).getId()).isEqualTo(pod);
      plugin.order("obey StopPodSandbox");
      stopping.get();

      assertThat(plugin.methods()).endsWith("StopContainer", "StopPodSandbox");
    }
  }

  /** Red if a container that ends by itself is not told of, or without its exit code. */
  @Test
  void aContainerThatEndsByItselfIsToldOf() throws Exception {
    try (NriPlugin plugin = connect("10", "watcher")) {
      PodSandboxConfig config = node.pod("ending").build();
      String pod = node.cri().runPod(config);
      node.cri().run(pod, node.container("main", "sh", "-c", "exit 7").build(), config);

      assertThat(plugin.await("StopContainer").container().getExitCode()).isEqualTo(7);
      assertThat(plugin.methods()).endsWith("PostStartContainer", "StopContainer");
    }
  }

  /** Red if a plugin that hangs or dies takes a pod with it, or stays and hangs the next one. */
  @Test
  void aPluginThatHangsOrDiesIsLeftBehind() throws Exception {
    try (NriPlugin hanging = connect("10", "hanging", "hang CreateContainer");
        NriPlugin dying = connect("20", "dying", "die StartContainer");
        NriPlugin well = connect("30", "well")) {
      PodSandboxConfig config = node.pod("brave").build();
      String pod = node.cri().runPod(config);
      String container = node.cri().run(pod, node.sleeper("main").build(), config);

      assertThat(node.cri().status(container).getState())
          .isEqualTo(ContainerState.CONTAINER_RUNNING);
      assertThat(hanging.awaitEnd(SOON)).isTrue();
      assertThat(dying.awaitEnd(SOON)).isTrue();
      node.cri().run(pod, node.sleeper("next").build(), config);
      assertThat(well.calls("PostStartContainer")).hasSize(2);
      assertThat(hanging.methods()).containsOnlyOnce("CreateContainer");
    }
  }

  /** Red if a container that is made while plugins connect is lost or told of twice. */
  @Test
  void whoConnectsLateMissesNothingAndHearsNothingTwice() throws Exception {
    PodSandboxConfig config = node.pod("busy").build();
    String pod = node.cri().runPod(config);
    String ended = node.cri().run(pod, node.container("ended", "true").build(), config);
    node.cri().awaitExit(ended);
    List<Future<String>> making = new ArrayList<>();
    List<NriPlugin> plugins = new ArrayList<>();
    try (ExecutorService executor = Executors.newFixedThreadPool(4)) {
      for (int i = 0; i < 24; i++) {
        String name = "c" + i;
        making.add(executor.submit(() -> node.cri().run(pod, node.sleeper(name).build(), config)));
      }
      for (int i = 0; i < 3; i++) {
        NriPlugin plugin = NriPlugin.start(node.nriSocket(), "1" + i, "late", "hang Synchronize");
        plugins.add(plugin);
        plugin.await("Synchronize");
        Thread.sleep(200);
        plugin.order("obey Synchronize");
      }
    }
    try {
      for (Future<String> made : making) {
        String container = made.get();
        for (NriPlugin plugin : plugins) {
          List<String> learned =
              Stream.concat(
                      plugin.calls("Synchronize").stream()
                          .flatMap(
                              call ->
                                  call
                                      .as(SynchronizeRequest.parser())
                                      .getContainersList()
                                      .stream()),
                      plugin.calls("CreateContainer").stream().map(NriPlugin.Call::container))
                  .map(Container::getId)
                  .toList();
          assertThat(learned).containsOnlyOnce(container).doesNotContain(ended);
          boolean synced =
              plugin.calls("CreateContainer").stream()
                  .noneMatch(call -> call.container().getId().equals(container));
          List<String> starts =
              plugin.calls("PostStartContainer").stream()
                  .map(call -> call.container().getId())
                  .filter(container::equals)
                  .toList();
          assertThat(starts).hasSizeBetween(synced ? 0 : 1, 1);
        }
      }
    } finally {
      plugins.forEach(NriPlugin::close);
    }
  }

  /** Red if a plugin from before a call of today can't take part. */
  @Test
  void anOlderPluginHearsOfItsEventsInItsOwnWay() throws Exception {
    String[] unknown =
        Stream.of(
                "RunPodSandbox",
                "StartContainer",
                "PostStartContainer",
                "PostCreateContainer",
                "ValidateContainerAdjustment",
                "RemoveContainer")
            .map(method -> "unknown " + method)
            .toArray(String[]::new);
    try (NriPlugin plugin = connect("10", "old", unknown)) {
      PodSandboxConfig config = node.pod("old").build();
      String pod = node.cri().runPod(config);
      String container = node.cri().run(pod, node.sleeper("main").build(), config);

      assertThat(plugin.calls("StateChange")).hasSize(4);
      assertThat(plugin.calls("StateChange").getFirst().pod().getId()).isEqualTo(pod);
      assertThat(node.cri().status(container).getState())
          .isEqualTo(ContainerState.CONTAINER_RUNNING);
    }
  }

  /**
   * Red if the daemon does not start the plugins of its folder, or begins to serve without them.
   */
  @Test
  void pluginsOfTheFolderAreThereBeforeAnyPod() throws Exception {
    Path calls = node.base().resolve("started.calls");
    Path orders = Files.writeString(node.base().resolve("started.orders"), "\n");
    Path folder = Files.createDirectories(node.nriPlugins());
    Path program = folder.resolve("42-started");
    Files.createDirectories(node.base().resolve("nri.conf"));
    Files.writeString(node.base().resolve("nri.conf").resolve("started.conf"), "colour: green");
    List<String> command = NriPlugin.command();
    command.addAll(List.of(orders.toString(), calls.toString()));
    Files.writeString(
        program,
        "#!/bin/sh\nexec "
            + command.stream().map("'%s'"::formatted).collect(Collectors.joining(" "))
            + "\n");
    Files.writeString(folder.resolve("no-plugin"), "#!/bin/sh\n");
    for (String file : List.of("42-started", "no-plugin")) {
      Files.setPosixFilePermissions(
          folder.resolve(file), PosixFilePermissions.fromString("rwxr-xr-x"));
    }
    PodSandboxConfig config = node.pod("before").build();
    String pod = node.cri().runPod(config);
    String container = node.cri().run(pod, node.sleeper("main").build(), config);
    try {
      node.restart();
      node.cri().stopPod(pod);

      List<NriPlugin.Call> heard = NriPlugin.calls(Files.readAllLines(calls));
      assertThat(heard)
          .extracting(NriPlugin.Call::method)
          .containsExactly("Configure", "Synchronize", "StopContainer", "StopPodSandbox");
      assertThat(heard.getFirst().as(ConfigureRequest.parser()).getConfig())
          .isEqualTo("colour: green");
      SynchronizeRequest present = heard.get(1).as(SynchronizeRequest.parser());
      assertThat(present.getPodsList()).extracting(PodSandbox::getId).containsExactly(pod);
      assertThat(present.getContainersList())
          .singleElement()
          .satisfies(
              one -> {
                assertThat(one.getId()).isEqualTo(container);
                assertThat(one.getPid()).isPositive();
                assertThat(one.getArgsList()).startsWith("sh", "-c");
              });
    } finally {
      Files.delete(program);
      Files.delete(folder.resolve("no-plugin"));
      node.restart();
    }
    Waits.until(
        () ->
            ProcessHandle.allProcesses()
                .map(ProcessHandle::info)
                .noneMatch(info -> info.commandLine().orElse("").contains(calls.toString())),
        "it ends with the daemon");
  }

  private static void update(String container, LinuxContainerResources.Builder resources) {
    node.cri()
        .runtime()
        .updateContainerResources(
            UpdateContainerResourcesRequest.newBuilder()
                .setContainerId(container)
                .setLinux(resources)
                .build());
  }

  private static long shares(String container) {
    return node.cri().status(container).getResources().getLinux().getCpuShares();
  }
}
