package io.keelson.runtime.nri;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.TextFormat;
import io.keelson.proto.nri.v1alpha1.Container;
import io.keelson.proto.nri.v1alpha1.ContainerAdjustment;
import io.keelson.sandbox.error.OperationFailedException;
import org.junit.jupiter.api.Test;

/** What several plugins want of one container, and how it is written into config.json. */
class AdjustmentsTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Owners owners = new Owners();
  private final Adjustments adjustments =
      new Adjustments(
          owners,
          Container.newBuilder().setId("c").addEnv("A=1").addEnv("B=2").addArgs("old").build());

  private void take(String plugin, String adjustment) throws Exception {
    ContainerAdjustment.Builder wanted = ContainerAdjustment.newBuilder();
    TextFormat.merge(adjustment, wanted);
    adjustments.take(wanted.build(), plugin);
  }

  private ObjectNode written(String spec) throws Exception {
    ObjectNode root = (ObjectNode) JSON.readTree(spec.replace('\'', '"'));
    new SpecAdjuster(adjustments.wanted(), -100).accept(root);
    return root;
  }

  /** Red if two plugins may set one thing, or if one of them can't take it from the other. */
  @Test
  void whatOneSetAnotherMustTakeAwayFirst() throws Exception {
    take("10-a", "mounts { destination: '/m' source: 'a' } rlimits { type: 'NOFILE' hard: 1 }");

    assertThatThrownBy(() -> take("20-b", "mounts { destination: '/m' source: 'b' }"))
        .isInstanceOf(OperationFailedException.class)
        .hasMessageContaining("10-a")
        .hasMessageContaining("20-b")
        .hasMessageContaining("/m");
    assertThatThrownBy(() -> take("20-b", "rlimits { type: 'NOFILE' hard: 2 }"))
        .hasMessageContaining("NOFILE");
    take(
        "30-c",
        "mounts { destination: '/m' type: 'bind' source: 'c' } mounts { destination: '-/m' }");

    assertThat(written("{'mounts':[{'destination':'/m','source':'old'}]}").path("mounts"))
        .singleElement()
        .satisfies(mount -> assertThat(mount.path("source").asText()).isEqualTo("c"));
  }

  /** Red if the next plugin does not see what those before it did. */
  @Test
  void eachSeesTheContainerAsTheOthersLeftIt() throws Exception {
    take("10-a", "env { key: 'A' value: '9' } env { key: '-B' } args: 'new' args: 'line'");

    assertThat(adjustments.container().getEnvList()).containsExactly("A=9");
    assertThat(adjustments.container().getArgsList()).containsExactly("new", "line");
    assertThatThrownBy(() -> take("20-b", "args: 'mine'")).hasMessageContaining("Args");
    take("20-b", "args: '' args: 'mine'");

    ObjectNode spec = written("{'process':{'args':['old'],'env':['B=2','A=1','C=3']}}");
    assertThat(spec.path("process").path("args").toString()).isEqualTo("[\"mine\"]");
    assertThat(spec.path("process").path("env").toString()).isEqualTo("[\"A=9\",\"C=3\"]");
  }

  /** Red if a field of the contract is not written, or under another name than runtimes know. */
  @Test
  void whatOnlyLinuxHasIsWrittenInTheWordsOfTheRuntimeSpec() throws Exception {
    take(
        "10-a",
        """
        linux {
          oom_score_adj { value: -500 }
          io_priority { class: IOPRIO_CLASS_BE priority: 4 }
          scheduler { policy: SCHED_BATCH nice: 5 }
          memory_policy { mode: MPOL_BIND nodes: "0" flags: MPOL_F_STATIC_NODES }
          rdt { clos_id { value: "gold" } schemata { value: "L3:0=f" } enable_monitoring { value: true } }
          net_devices { key: "eth7" value { name: "data0" } }
          namespaces { type: "-uts" }
          namespaces { type: "ipc" path: "/proc/1/ns/ipc" }
          sysctl { key: "kernel.msgmax" value: "1" }
          sysctl { key: "-kernel.shmmax" value: "" }
          seccomp_policy {
            default_action: "SCMP_ACT_ERRNO" default_errno { value: 38 } architectures: "SCMP_ARCH_X86_64"
            syscalls { names: "read" action: "SCMP_ACT_ALLOW" args { index: 1 value: 2 op: "SCMP_CMP_EQ" } }
          }
          resources {
            memory { limit { value: 1000 } reservation { value: 500 } swappiness { value: 0 } }
            cpu { realtime_runtime { value: 7 } cpus: "0" }
            hugepage_limits { page_size: "2MB" limit: 18446744073709551615 }
            unified { key: "memory.high" value: "900" }
          }
        }\
        """);

    ObjectNode spec =
        written(
            "{'linux':{'namespaces':[{'type':'uts'},{'type':'ipc'}],'sysctl':{'kernel.shmmax':'2'},"
                + "'resources':{'memory':{'limit':2000,'swap':2000}}}}");

    assertThat(spec.path("process").toString())
        .isEqualTo(
            ("{'oomScoreAdj':-100,'ioPriority':{'class':'IOPRIO_CLASS_BE','priority':4},"
                    + "'scheduler':{'policy':'SCHED_BATCH','nice':5,'priority':0,'flags':[],"
                    + "'runtime':0,'deadline':0,'period':0}}")
                .replace('\'', '"'));
    ObjectNode linux = (ObjectNode) spec.path("linux");
    assertThat(linux.path("namespaces").toString())
        .isEqualTo("[{\"type\":\"ipc\",\"path\":\"/proc/1/ns/ipc\"}]");
    assertThat(linux.path("sysctl").toString()).isEqualTo("{\"kernel.msgmax\":\"1\"}");
    assertThat(linux.path("memoryPolicy").toString())
        .isEqualTo("{\"mode\":\"MPOL_BIND\",\"nodes\":\"0\",\"flags\":[\"MPOL_F_STATIC_NODES\"]}");
    assertThat(linux.path("intelRdt").toString())
        .isEqualTo("{\"closID\":\"gold\",\"schemata\":[\"L3:0=f\"],\"enableMonitoring\":true}");
    assertThat(linux.path("netDevices").path("eth7").path("name").asText()).isEqualTo("data0");
    assertThat(linux.path("seccomp").path("defaultErrnoRet").asInt()).isEqualTo(38);
    assertThat(
            linux.path("seccomp").path("syscalls").get(0).path("args").get(0).path("op").asText())
        .isEqualTo("SCMP_CMP_EQ");
    assertThat(linux.path("resources").path("memory").toString())
        .isEqualTo("{\"limit\":1000,\"swap\":1000,\"reservation\":500,\"swappiness\":0}");
    assertThat(linux.path("resources").path("cpu").toString())
        .isEqualTo("{\"realtimeRuntime\":7,\"cpus\":\"0\"}");
    assertThat(linux.path("resources").path("hugepageLimits").get(0).path("limit").asText())
        .isEqualTo("18446744073709551615");
    assertThat(linux.path("resources").path("unified").path("memory.high").asText())
        .isEqualTo("900");
    assertThat(owners.toMessage().getOwnersOrThrow("c").getSimpleMap()).containsValue("10-a");
  }
}
