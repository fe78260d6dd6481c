package io.keelson.device.builtin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.keelson.device.plugin.Resource;
import io.keelson.proto.deviceplugin.v1beta1.ContainerAllocateResponse;
import io.keelson.proto.deviceplugin.v1beta1.DeviceSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Nodes by path and by number. */
class UnixScanTest {

  private static final String THING = "unix.keelson.io/thing";

  @TempDir Path folder;

  private FakeHost host;

  @BeforeEach
  void make() {
    host = new FakeHost(folder);
  }

  @AfterEach
  void close() {
    host.close();
  }

  private Resource define(String... keys) throws IOException {
    host.start("[[unix]]\nresource = \"" + THING + "\"\n" + String.join("\n", keys) + "\n");
    return host.resource(THING);
  }

  @Test
  void aSharedDeviceHasAnIdForEachHolder() throws Exception {
    Path node = host.node("dev/thing");
    host.node("dev/full");
    Resource things =
        define(
            "paths = [\"/dev/thing\", \"/dev/full\"]",
            "container_path = \"/dev/it\"",
            "shares = 2");

    assertThat(things.devices().keySet())
        .containsExactly("thing::0", "thing::1", "full::0", "full::1");
    assertThat(host.allocate(THING, "thing::1").getDevicesList())
        .extracting(DeviceSpec::getHostPath, DeviceSpec::getContainerPath)
        .containsExactly(tuple(node.toString(), "/dev/it"));
  }

  /** By type and number, whatever the names are, also in the folders of /dev. */
  @ParameterizedTest
  @CsvSource({
    "c 10:200, net-tun",
    "c 1:*, null zero",
    "b 7:*, loop0 loop1",
    "b *:1, loop1 sda1",
    "b *:*, loop0 loop1 sda1",
    "c *:7, serial",
    "b 10:200, ",
  })
  void nodesAreFoundByTheirNumbers(String number, String ids) throws Exception {
    host.node("dev/null", 1, 3);
    host.node("dev/zero", 1, 5);
    host.node("dev/serial", 188, 7);
    host.node("dev/net/tun", 10, 200);
    host.node("dev/pts/7", 136, 7); // a terminal of somebody
    host.disk("dev/loop0", 7, 0);
    host.disk("dev/loop1", 7, 1);
    host.disk("dev/sda1", 8, 1);
    Files.createSymbolicLink(folder.resolve("dev/stdin"), Path.of("null"));

    Resource things = define("numbers = [\"%s\"]".formatted(number));

    assertThat(things.devices().keySet())
        .containsExactlyInAnyOrderElementsOf(ids == null ? List.of() : List.of(ids.split(" ", -1)));
  }

  @Test
  void aBlockDeviceIsGivenWithItsPermissionsOwnerAndMode() throws Exception {
    host.disk("dev/disk", 8, 16);
    define(
        "paths = [\"/dev/di*\"]", "permissions = \"r\"", "owner = \"1000:44\"", "mode = \"0640\"");

    assertThat(host.device(THING, "disk").attributes()).containsEntry("number", "b 8:16");
    ContainerAllocateResponse answer = host.allocate(THING, "disk");
    assertThat(answer.getDevicesList())
        .extracting(DeviceSpec::getContainerPath, DeviceSpec::getPermissions)
        .containsExactly(tuple("/dev/disk", "r"));
    assertThat(answer.getAnnotationsMap())
        .containsEntry("devices.keelson.io/owner", "1000:44")
        .containsEntry("devices.keelson.io/mode", "0640");
  }

  /** required = false: the device is given before it is there, and told when it comes. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "/dev/kvm",
        "/dev/fuse",
        "/dev/net/tun",
        "/dev/ttyUSB0",
        "/dev/video0",
        "/dev/tpm0"
      })
  void aNodeThatIsWaitedForIsToldWhenItComesAndGoes(String path) throws Exception {
    Resource later = define("paths = [\"%s\"]".formatted(path), "required = false");
    String id = later.devices().keySet().iterator().next();
    assertThat(id).isEqualTo(path.substring("/dev/".length()).replace('/', '-'));
    assertThat(later.isUsable(id)).isTrue();
    assertThat(host.nodes(THING, id)).isEmpty();

    Path node = host.node(path.substring(1));
    assertThat(host.nodeChanges().poll(15, TimeUnit.SECONDS)).isEqualTo(THING + " 0 -> 1");
    assertThat(host.nodes(THING, id)).containsExactly(path);
    Files.delete(node);
    assertThat(host.nodeChanges().poll(15, TimeUnit.SECONDS)).isEqualTo(THING + " 1 -> 0");
  }

  @Test
  void aNodeThatMustBeThereIsNoDeviceBefore() throws Exception {
    assertThat(define("paths = [\"/dev/kvm\"]").devices()).isEmpty();
  }

  /** Of a pattern nothing is known until the first one comes; that one is waited for. */
  @Test
  void whatAPatternHasFoundOnceIsWaitedFor() throws Exception {
    Path node = host.disk("dev/loop3", 7, 3);
    define("numbers = [\"b 7:*\"]", "required = false");
    assertThat(host.nodes(THING, "loop3")).containsExactly("/dev/loop3");

    Files.delete(node);
    assertThat(host.nodeChanges().poll(15, TimeUnit.SECONDS)).isEqualTo(THING + " 1 -> 0");
    assertThat(host.resource(THING).isUsable("loop3")).isTrue();
    assertThat(List.copyOf(host.nodes(THING, "loop3"))).isEmpty();
  }
}
