package io.keelson.runtime.nri;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.TextFormat;
import io.keelson.proto.nri.v1alpha1.Container;
import io.keelson.proto.nri.v1alpha1.ContainerAdjustment;
import io.keelson.proto.nri.v1alpha1.Field;
import io.keelson.sandbox.error.OperationFailedException;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every adjustment that the contract lists: where it stands in config.json, and that two plugins
 * can't both make it. CDI devices, classes of block I/O and the cgroup are settled elsewhere; for
 * these only the second holds here.
 */
class EveryAdjustmentTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Several plugins may add to these. */
  private static final Set<Field> SHARED = EnumSet.of(Field.OciHooks);

  /**
   * One adjustment.
   *
   * @param text as a plugin answers, with ' for "
   * @param pointer where it is in config.json; empty if it is not there
   * @param expected what is there, with ' for "
   */
  record Line(Field field, String text, String pointer, String expected) {

    @Override
    public String toString() {
      return field + " at " + pointer;
    }
  }

  private static Line resource(Field field, String text, String pointer, String expected) {
    return new Line(
        field, "linux { resources { " + text + " } }", "/linux/resources/" + pointer, expected);
  }

  private static Line memory(Field field, String name, String value, String key) {
    return resource(
        field, "memory { %s { value: %s } }".formatted(name, value), "memory/" + key, value);
  }

  private static Line cpu(Field field, String name, String value, String key) {
    return resource(field, "cpu { %s { value: %s } }".formatted(name, value), "cpu/" + key, value);
  }

  private static Line linux(Field field, String text, String pointer, String expected) {
    return new Line(field, "linux { " + text + " }", pointer, expected);
  }

  static Stream<Line> lines() {
    return Stream.of(
        new Line(Field.Annotations, "annotations { key: 'k' value: 'v' }", "/annotations/k", "'v'"),
        new Line(
            Field.Mounts,
            "mounts { destination: '/m' type: 'bind' source: '/s' options: 'ro' }",
            "/mounts/0",
            "{'destination':'/m','type':'bind','source':'/s','options':['ro']}"),
        new Line(
            Field.OciHooks,
            "hooks { poststop { path: '/h' args: 'a' env: 'B=1' timeout { value: 3 } } }",
            "/hooks/poststop/0",
            "{'path':'/h','args':['a'],'env':['B=1'],'timeout':3}"),
        new Line(Field.Env, "env { key: 'A' value: '1' }", "/process/env", "['A=1']"),
        new Line(Field.Args, "args: 'sh' args: '-c'", "/process/args", "['sh','-c']"),
        new Line(
            Field.Rlimits,
            "rlimits { type: 'RLIMIT_NOFILE' hard: 18446744073709551615 soft: 1 }",
            "/process/rlimits/0",
            "{'type':'RLIMIT_NOFILE','hard':18446744073709551615,'soft':1}"),
        new Line(Field.CdiDevices, "CDI_devices { name: 'v.com/c=d' }", "", ""),
        linux(
            Field.Devices,
            "devices { path: '/dev/x' type: 'b' major: 8 minor: 1 uid { value: 5 } }",
            "/linux/devices/0",
            "{'path':'/dev/x','type':'b','major':8,'minor':1,'fileMode':432,'uid':5,'gid':0}"),
        memory(Field.MemLimit, "limit", "1048576", "limit"),
        memory(Field.MemReservation, "reservation", "4096", "reservation"),
        memory(Field.MemSwapLimit, "swap", "2097152", "swap"),
        memory(Field.MemKernelLimit, "kernel", "8192", "kernel"),
        memory(Field.MemTCPLimit, "kernel_tcp", "8193", "kernelTCP"),
        memory(Field.MemSwappiness, "swappiness", "0", "swappiness"),
        memory(Field.MemDisableOomKiller, "disable_oom_killer", "true", "disableOOMKiller"),
        memory(Field.MemUseHierarchy, "use_hierarchy", "true", "useHierarchy"),
        cpu(Field.CPUShares, "shares", "2", "shares"),
        cpu(Field.CPUQuota, "quota", "-1", "quota"),
        cpu(Field.CPUPeriod, "period", "100000", "period"),
        cpu(Field.CPURealtimeRuntime, "realtime_runtime", "7", "realtimeRuntime"),
        cpu(Field.CPURealtimePeriod, "realtime_period", "8", "realtimePeriod"),
        resource(Field.CPUSetCPUs, "cpu { cpus: '0-1' }", "cpu/cpus", "'0-1'"),
        resource(Field.CPUSetMems, "cpu { mems: '0' }", "cpu/mems", "'0'"),
        resource(Field.PidsLimit, "pids { limit: 7 }", "pids/limit", "7"),
        resource(
            Field.HugepageLimits,
            "hugepage_limits { page_size: '2MB' limit: 4194304 }",
            "hugepageLimits",
            "[{'pageSize':'2MB','limit':4194304}]"),
        resource(
            Field.CgroupsUnified,
            "unified { key: 'memory.high' value: '5' }",
            "unified/memory.high",
            "'5'"),
        new Line(
            Field.BlockioClass, "linux { resources { blockio_class { value: 'x' } } }", "", ""),
        linux(
            Field.RdtClass,
            "resources { rdt_class { value: 'gold' } }",
            "/linux/intelRdt/closID",
            "'gold'"),
        linux(Field.CgroupsPath, "cgroups_path: '/x'", "", ""),
        linux(Field.OomScoreAdj, "oom_score_adj { value: 5 }", "/process/oomScoreAdj", "5"),
        linux(
            Field.IoPriority,
            "io_priority { class: IOPRIO_CLASS_BE priority: 3 }",
            "/process/ioPriority",
            "{'class':'IOPRIO_CLASS_BE','priority':3}"),
        linux(
            Field.SeccompPolicy,
            "seccomp_policy { default_action: 'SCMP_ACT_ERRNO' default_errno { value: 38 }"
                + " architectures: 'SCMP_ARCH_X86_64' flags: 'SECCOMP_FILTER_FLAG_LOG'"
                + " listener_path: '/l' listener_metadata: 'm' syscalls { names: 'read'"
                + " action: 'SCMP_ACT_ALLOW' errno_ret { value: 1 }"
                + " args { index: 1 value: 2 value_two: 3 op: 'SCMP_CMP_EQ' } } }",
            "/linux/seccomp",
            "{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':38,"
                + "'architectures':['SCMP_ARCH_X86_64'],'flags':['SECCOMP_FILTER_FLAG_LOG'],"
                + "'listenerPath':'/l','listenerMetadata':'m','syscalls':[{'names':['read'],"
                + "'action':'SCMP_ACT_ALLOW','errnoRet':1,"
                + "'args':[{'index':1,'value':2,'valueTwo':3,'op':'SCMP_CMP_EQ'}]}]}"),
        linux(
            Field.Namespace,
            "namespaces { type: 'uts' path: '/n' }",
            "/linux/namespaces/0",
            "{'type':'uts','path':'/n'}"),
        linux(Field.Sysctl, "sysctl { key: 'a.b' value: '1' }", "/linux/sysctl/a.b", "'1'"),
        linux(
            Field.LinuxNetDevices,
            "net_devices { key: 'eth7' value { name: 'net1' } }",
            "/linux/netDevices/eth7",
            "{'name':'net1'}"),
        linux(
            Field.LinuxSched,
            "scheduler { policy: SCHED_DEADLINE nice: 1 priority: 2 flags: SCHED_FLAG_RECLAIM"
                + " runtime: 3 deadline: 4 period: 5 }",
            "/process/scheduler",
            "{'policy':'SCHED_DEADLINE','nice':1,'priority':2,'flags':['SCHED_FLAG_RECLAIM'],"
                + "'runtime':3,'deadline':4,'period':5}"),
        linux(Field.RdtClosID, "rdt { clos_id { value: 'c' } }", "/linux/intelRdt/closID", "'c'"),
        linux(
            Field.RdtSchemata,
            "rdt { schemata { value: 'L3:0=f' } }",
            "/linux/intelRdt/schemata",
            "['L3:0=f']"),
        linux(
            Field.RdtEnableMonitoring,
            "rdt { enable_monitoring { value: true } }",
            "/linux/intelRdt/enableMonitoring",
            "true"),
        linux(
            Field.MemoryPolicy,
            "memory_policy { mode: MPOL_BIND nodes: '0' flags: MPOL_F_STATIC_NODES }",
            "/linux/memoryPolicy",
            "{'mode':'MPOL_BIND','nodes':'0','flags':['MPOL_F_STATIC_NODES']}"));
  }

  private static ContainerAdjustment adjustment(Line line) throws Exception {
    ContainerAdjustment.Builder wanted = ContainerAdjustment.newBuilder();
    TextFormat.merge(line.text(), wanted);
    return wanted.build();
  }

  private static Adjustments adjustments() {
    return new Adjustments(new Owners(), Container.newBuilder().setId("c").build());
  }

  /** Red if an adjustment is lost, or written under another name or in another form. */
  @ParameterizedTest
  @MethodSource("lines")
  void isWrittenWhereTheRuntimeLooksForIt(Line line) throws Exception {
    Adjustments adjustments = adjustments();
    adjustments.take(adjustment(line), "10-a");
    ObjectNode spec = JSON.createObjectNode();
    new SpecAdjuster(adjustments.wanted(), -1000).accept(spec);

    if (!line.pointer().isEmpty()) {
      JsonNode written = JSON.readTree(spec.toString()).at(line.pointer());
      assertThat(written).isEqualTo(JSON.readTree(line.expected().replace('\'', '"')));
    }
  }

  /** Red if the second of two plugins silently wins. */
  @ParameterizedTest
  @MethodSource("lines")
  void isMadeByOnePluginAlone(Line line) throws Exception {
    Adjustments adjustments = adjustments();
    ContainerAdjustment adjustment = adjustment(line);
    adjustments.take(adjustment, "10-a");

    if (SHARED.contains(line.field())) {
      adjustments.take(adjustment, "20-b");
    } else {
      assertThatThrownBy(() -> adjustments.take(adjustment, "20-b"))
          .isInstanceOf(OperationFailedException.class)
          .hasMessageContaining("10-a")
          .hasMessageContaining("20-b")
          .hasMessageContaining(line.field().name());
    }
  }

  /** Red if the contract gets an adjustment that this table lacks. */
  @Test
  void noneIsMissingHere() {
    Set<Field> missing = EnumSet.complementOf(EnumSet.of(Field.None, Field.UNRECOGNIZED));
    missing.removeAll(lines().map(Line::field).collect(Collectors.toSet()));
    assertThat(missing).isEmpty();
  }
}
