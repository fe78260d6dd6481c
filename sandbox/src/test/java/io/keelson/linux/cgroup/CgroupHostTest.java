package io.keelson.linux.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.linux.MountInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The layouts that hosts have, told from their mounts. */
class CgroupHostTest {

  private static final Set<String> KNOWN =
      Set.of("cpu", "cpuacct", "memory", "pids", "hugetlb", "freezer", "cpuset");

  @TempDir Path root;

  @Test
  void aHostWithTheUnifiedHierarchyAloneIsV2AndHasNoObstacle() throws IOException {
    CgroupHost host = CgroupHost.of(List.of(v2("", "cpuset cpu io memory hugetlb pids")), KNOWN);

    assertThat(host.layout()).isEqualTo(CgroupLayout.V2);
    assertThat(host.obstacle()).isEmpty();
    assertThat(host.cgroups().layout()).isEqualTo(CgroupLayout.V2);
  }

  @Test
  void aV2HostWithoutTheMemoryControllerSaysSo() throws IOException {
    CgroupHost host = CgroupHost.of(List.of(v2("", "cpuset cpu io pids")), KNOWN);

    assertThat(host.obstacle()).hasValueSatisfying(line -> assertThat(line).contains("memory"));
  }

  @Test
  void systemdsNamedHierarchyBesideV2DoesNotMakeAHybrid() throws IOException {
    CgroupHost host =
        CgroupHost.of(List.of(v1("none", "name=systemd"), v2("unified", "cpu memory pids")), KNOWN);

    assertThat(host.layout()).isEqualTo(CgroupLayout.V2);
  }

  @Test
  void v1WithAnEmptyUnifiedHierarchyIsHybridAndHasNoObstacle() throws IOException {
    CgroupHost host = CgroupHost.of(hybrid(""), KNOWN);

    assertThat(host.layout()).isEqualTo(CgroupLayout.HYBRID);
    assertThat(host.obstacle()).isEmpty();
  }

  @Test
  void aControllerLeftOnV2OfAHybridIsNamedWithItsCureInOneLine() throws IOException {
    CgroupHost host = CgroupHost.of(hybrid("hugetlb"), KNOWN);

    assertThat(host.obstacle())
        .hasValueSatisfying(
            line ->
                assertThat(line)
                    .doesNotContain("\n")
                    .contains("hugetlb on " + root.resolve("unified"))
                    .endsWith(
                        "mkdir -p /sys/fs/cgroup/hugetlb"
                            + " && mount -t cgroup -o hugetlb cgroup /sys/fs/cgroup/hugetlb"));
  }

  @Test
  void controllersMountedTogetherShareTheirFolder() throws IOException {
    Cgroups cgroups =
        CgroupHost.of(
                List.of(v1("cpu,cpuacct", "rw", "cpu", "cpuacct"), v1("memory", "rw", "memory")),
                KNOWN)
            .cgroups();

    assertThat(cgroups.folder("cpu", "/a/b")).hasValue(root.resolve("cpu,cpuacct/a/b"));
    assertThat(cgroups.folder("cpuacct", "/a/b")).hasValue(root.resolve("cpu,cpuacct/a/b"));
    assertThat(cgroups.folder("freezer", "/a/b")).isEmpty();
  }

  @Test
  void aHostWithoutControlGroupsSaysHowToMountThem() throws IOException {
    CgroupHost host = CgroupHost.of(List.of(), KNOWN);

    assertThat(host.layout()).isEqualTo(CgroupLayout.NONE);
    assertThat(host.obstacle()).hasValueSatisfying(l -> assertThat(l).contains("mount -t cgroup2"));
    assertThatThrownBy(host::cgroups).isInstanceOf(IOException.class);
  }

  private List<MountInfo> hybrid(String unified) throws IOException {
    List<MountInfo> mounts = new ArrayList<>();
    for (String controller : List.of("cpu", "memory", "pids", "freezer", "cpuset")) {
      mounts.add(v1(controller, "rw", controller));
    }
    mounts.add(v2("unified", unified));
    return mounts;
  }

  private MountInfo v1(String folder, String... superOptions) {
    return mount(root.resolve(folder), "cgroup", Set.of(superOptions));
  }

  private MountInfo v2(String folder, String controllers) throws IOException {
    Path mountPoint = Files.createDirectories(root.resolve(folder));
    Files.writeString(mountPoint.resolve("cgroup.controllers"), controllers + "\n");
    return mount(mountPoint, "cgroup2", Set.of("rw"));
  }

  private static MountInfo mount(Path mountPoint, String type, Set<String> superOptions) {
    return new MountInfo(
        1, 0, "/", mountPoint, Set.of("rw"), List.of(), type, "cgroup", superOptions);
  }
}
