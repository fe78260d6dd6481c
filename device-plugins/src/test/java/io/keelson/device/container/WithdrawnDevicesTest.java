package io.keelson.device.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.sandbox.spec.SpecDevice;
import io.keelson.sandbox.spec.SpecDeviceRule;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WithdrawnDevicesTest {

  private static final String DISK = "vendor.example/disk";

  @TempDir Path folder;

  private WithdrawnDevices withdrawn;

  @BeforeEach
  void remember() throws IOException {
    withdrawn = WithdrawnDevices.open(folder);
    withdrawn.addDevices("c1", DISK, List.of("a"));
    withdrawn.addDevices("c1", DISK, List.of("a", "b"));
    withdrawn.addDevices("c2", DISK, List.of("c"));
  }

  @Test
  void onlyWhatWasTheContainersOwnCounts() {
    assertThat(withdrawn.hasDevices("c1", DISK, List.of("b", "a"))).isTrue();
    assertThat(withdrawn.hasDevices("c1", DISK, List.of("a", "c"))).isFalse();
    assertThat(withdrawn.hasDevices("c2", DISK, List.of("a"))).isFalse();
    assertThat(withdrawn.hasDevices("c1", "vendor.example/other", List.of("a"))).isFalse();
  }

  @Test
  void noIdsAskForAnyOfTheResource() {
    assertThat(withdrawn.hasDevices("c2", DISK, List.of())).isTrue();
    assertThat(withdrawn.hasDevices("c3", DISK, List.of())).isFalse();
    assertThat(withdrawn.hasDevices("c2", "vendor.example/other", List.of())).isFalse();
  }

  @Test
  void theDaemonsNextLifeKnowsThemToo() throws IOException {
    withdrawn = WithdrawnDevices.open(folder);
    assertThat(withdrawn.hasDevices("c1", DISK, List.of("a", "b"))).isTrue();
  }

  @Test
  void rulesForWithdrawnNodesHoldNoMore() throws IOException {
    SpecDevice node = new SpecDevice("/dev/a", SpecDevice.Kind.CHARACTER, 511, 60, 0600, 0, 0);
    withdrawn.addNodes("c1", List.of(node, node));
    withdrawn = WithdrawnDevices.open(folder);
    assertThat(withdrawn.covers("c1", SpecDeviceRule.allow(node, "r"))).isTrue();
    assertThat(withdrawn.covers("c2", SpecDeviceRule.allow(node, "r"))).isFalse();
    SpecDevice block = new SpecDevice("/dev/b", SpecDevice.Kind.BLOCK, 511, 60, 0600, 0, 0);
    assertThat(withdrawn.covers("c1", SpecDeviceRule.allow(block, "r"))).isFalse();
    assertThat(withdrawn.covers("c1", SpecDeviceRule.ALLOW_ALL)).isFalse();
  }

  @Test
  void theyAreForgottenWithTheirContainer() throws IOException {
    withdrawn.forget("c1");
    assertThat(withdrawn.hasDevices("c1", DISK, List.of())).isFalse();
    assertThat(withdrawn.hasDevices("c2", DISK, List.of("c"))).isTrue();

    withdrawn.forgetAllBut(Set.of("c1"));
    assertThat(folder).isEmptyDirectory();
  }
}
