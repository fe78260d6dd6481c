package io.keelson.sandbox.isolator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.proto.cri.v1.Device;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.spec.SpecBuilder;
import io.keelson.sandbox.spec.SpecDevice;
import io.keelson.sandbox.spec.SpecDeviceRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DevicesIsolatorTest {

  private final DevicesIsolator isolator =
      new DevicesIsolator(new HostPaths(Duration.ofSeconds(10)));
  @TempDir Path root;
  private Given given;

  @BeforeEach
  void given() {
    given = new Given(root);
  }

  @Test
  void deniesAllFirstAndAllowsTheHarmlessOnes() throws IOException {
    SpecBuilder spec = given.prepared(isolator);
    assertThat(spec.limits().deviceRules())
        .startsWith(SpecDeviceRule.DENY_ALL)
        .contains(new SpecDeviceRule(true, SpecDevice.Kind.CHARACTER, 1L, 3L, "rwm"))
        .doesNotContain(SpecDeviceRule.ALLOW_ALL);
    assertThat(spec.devices()).isEmpty();
  }

  @Test
  void anOwnerFromAboveTwoBillionIsNotNegative() throws Exception {
    Path node = root.resolve("node");
    String[] making = {
      "sh", "-c", "mknod $0 c 1 3 && chown 3000000000:4000000000 $0", node.toString()
    };
    assertThat(new ProcessBuilder(making).inheritIO().start().waitFor()).isZero();

    SpecDevice device = DeviceNodes.node(node, "/dev/given").orElseThrow();
    assertThat(device.uid()).isEqualTo(3_000_000_000L);
    assertThat(device.gid()).isEqualTo(4_000_000_000L);
  }

  @Test
  void aDeviceIsANodeAndARule() throws IOException {
    Path link = Files.createSymbolicLink(root.resolve("link"), Path.of("/dev/full"));
    given.config.addDevices(
        Device.newBuilder()
            .setHostPath(link.toString())
            .setContainerPath("/dev/mine")
            .setPermissions("rw"));
    SpecBuilder spec = given.prepared(isolator);
    assertThat(spec.devices())
        .singleElement()
        .satisfies(
            device -> {
              assertThat(device.path()).isEqualTo("/dev/mine");
              assertThat(device.kind()).isEqualTo(SpecDevice.Kind.CHARACTER);
              assertThat(device.major()).isEqualTo(1);
              assertThat(device.minor()).isEqualTo(7);
              assertThat(device.fileMode()).isEqualTo(0666);
            });
    assertThat(spec.limits().deviceRules())
        .endsWith(new SpecDeviceRule(true, SpecDevice.Kind.CHARACTER, 1L, 7L, "rw"));
  }

  @Test
  void aFolderStandsForAllBelowIt() throws IOException {
    given.config.addDevices(Device.newBuilder().setHostPath("/dev").setContainerPath("/dev/host"));
    assertThat(given.prepared(isolator).devices())
        .extracting(SpecDevice::path)
        .contains("/dev/host/null", "/dev/host/zero")
        .doesNotContain("/dev/host/console", "/dev/host/ptmx")
        .noneMatch(path -> path.startsWith("/dev/host/pts"));
  }

  @Test
  void privilegedHasAllDevicesOfTheHost() throws IOException {
    given.privileged();
    SpecBuilder spec = given.prepared(isolator);
    assertThat(spec.limits().deviceRules()).containsExactly(SpecDeviceRule.ALLOW_ALL);
    assertThat(spec.devices()).extracting(SpecDevice::path).contains("/dev/full");
  }

  @Test
  void refusesWhatIsNoDevice() throws IOException {
    Path file = Files.writeString(root.resolve("file"), "x");
    given.config.addDevices(Device.newBuilder().setHostPath(file.toString()));
    assertThatThrownBy(() -> given.prepared(isolator)).isInstanceOf(InvalidRequestException.class);
    given.config.setDevices(0, Device.newBuilder().setHostPath("/dev/nothing-here"));
    assertThatThrownBy(() -> given.prepared(isolator))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("/dev/nothing-here");
    given.config.setDevices(0, Device.newBuilder().setHostPath("/dev/null").setPermissions("rx"));
    assertThatThrownBy(() -> given.prepared(isolator)).isInstanceOf(InvalidRequestException.class);
  }
}
