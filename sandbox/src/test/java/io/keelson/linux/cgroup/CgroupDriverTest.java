package io.keelson.linux.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Names of groups: a wrong one puts a container outside of its pod's limits. */
class CgroupDriverTest {

  @ParameterizedTest
  @CsvSource({
    "/kubepods/burstable/pod1, /kubepods/burstable/pod1/c1",
    "kubepods/pod1,            /kubepods/pod1/c1",
    "'',                       /keelson/c1",
  })
  void cgroupfsNestsByPath(String parent, String cgroupsPath) {
    assertThat(CgroupDriver.CGROUPFS.cgroupsPath(parent, "c1")).isEqualTo(cgroupsPath);
    assertThat(CgroupDriver.group(cgroupsPath)).isEqualTo(cgroupsPath);
  }

  @ParameterizedTest
  @CsvSource({
    "kubepods-pod1.slice, kubepods-pod1.slice:keelson:c1, /kubepods.slice/kubepods-pod1.slice",
    "a-b-c.slice,         a-b-c.slice:keelson:c1,         /a.slice/a-b.slice/a-b-c.slice",
    "/a.slice/a-b.slice,  a-b.slice:keelson:c1,           /a.slice/a-b.slice",
    "system.slice,        system.slice:keelson:c1,        /system.slice",
    "'',                  keelson.slice:keelson:c1,       /keelson.slice",
  })
  void systemdNestsByTheDashesOfASlice(String parent, String cgroupsPath, String parentGroup) {
    assertThat(CgroupDriver.SYSTEMD.cgroupsPath(parent, "c1")).isEqualTo(cgroupsPath);
    assertThat(CgroupDriver.SYSTEMD.parentGroup(parent)).isEqualTo(parentGroup);
    assertThat(CgroupDriver.group(cgroupsPath)).isEqualTo(parentGroup + "/keelson-c1.scope");
  }

  @Test
  void theRootSliceIsTheRootGroup() {
    assertThat(CgroupDriver.group("-.slice:keelson:c1")).isEqualTo("/keelson-c1.scope");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"/kubepods/pod1", "a--b.slice", "-a.slice", "a-.slice", ".slice", "a b.slice"})
  void systemdRefusesAParentThatIsNoSlice(String parent) {
    assertThatThrownBy(() -> CgroupDriver.SYSTEMD.cgroupsPath(parent, "c1"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("slice");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "/a/../../b", "/a/./b"})
  void cgroupfsRefusesAParentThatIsNoPlaceBelowTheRoot(String parent) {
    assertThatThrownBy(() -> CgroupDriver.CGROUPFS.cgroupsPath(parent, "c1"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"a", "a.slice:b", "a.slice:b:", "a.slice:b:c:d", ""})
  void aNameOfNeitherFormIsRefused(String cgroupsPath) {
    assertThatThrownBy(() -> CgroupDriver.group(cgroupsPath))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
