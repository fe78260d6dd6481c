package io.keelson.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UserNamespacesTest {

  private static final IdMapping UIDS = new IdMapping(0, 70_000, 1000);
  private static final IdMapping GIDS = new IdMapping(0, 80_000, 1000);

  @TempDir Path folder;
  private final Map<NamespaceType, Path> pins = new EnumMap<>(NamespaceType.class);

  @BeforeEach
  void pins() {
    for (NamespaceType type :
        new NamespaceType[] {
          NamespaceType.USER, NamespaceType.NET, NamespaceType.IPC, NamespaceType.UTS
        }) {
      pins.put(type, folder.resolve("deep/" + type.procName()));
    }
  }

  @AfterEach
  void unpinAll() throws IOException {
    for (Path pin : pins.values()) {
      Namespaces.unpin(pin);
    }
  }

  @Test
  void rootInsideMayAdministerTheNamespacesThatBelongToIt() throws Exception {
    UserNamespaces.create(
        UIDS, GIDS, pins, "inside", Map.of("net.ipv4.ip_unprivileged_port_start", "77"));

    // Who enters by the pins is root there, and may make a link and change the host name.
    String said =
        inside(
            "cat /proc/self/uid_map /proc/self/gid_map; hostname; cat /sys/class/net/lo/flags;"
                + " cat /proc/sys/net/ipv4/ip_unprivileged_port_start;"
                + " ip link add v0 type veth peer name v1 && hostname changed && hostname");
    assertThat(said.lines().map(line -> line.strip().replaceAll(" +", " ")))
        .startsWith("0 70000 1000", "0 80000 1000", "inside")
        .endsWith("77", "changed");
    assertNoProcessStays();
  }

  @Test
  void aHeldNamespaceMapsMounts() throws Exception {
    Mounts.mount("tmpfs", folder, "tmpfs", 0, null);
    try {
      Path source = folder.resolve("source");
      Files.createDirectories(source.resolve("below"));
      Mounts.mount("below", source.resolve("below"), "tmpfs", 0, null);
      Files.createFile(source.resolve("below/file"));
      Path target = Files.createDirectory(folder.resolve("target"));
      try (UserNamespaces.Held held = UserNamespaces.hold(UIDS, GIDS)) {
        MountAttributes.bindIdMapped(source, target, held.path());
      }
      assertThat(Files.getAttribute(target.resolve("below/file"), "unix:uid")).isEqualTo(70_000);
      assertThat(Files.getAttribute(target, "unix:gid")).isEqualTo(80_000);
    } finally {
      Mounts.detach(folder);
    }
  }

  @Test
  void aFailureLeavesNothing() throws InterruptedException {
    assertThatThrownBy(
            () ->
                UserNamespaces.create(
                    UIDS, GIDS, pins, null, Map.of("net.ipv4.no_such_setting", "1")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("no_such_setting");
    assertThat(folder).isEmptyDirectory();
    assertNoProcessStays();
  }

  @Test
  void rangesThatTheKernelDoesNotKnowAreRefused() {
    assertThatThrownBy(() -> new IdMapping(0, 0xffff_ffffL, 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new IdMapping(0, 1, 0)).isInstanceOf(IllegalArgumentException.class);
    assertThat(new IdMapping(0, 1000, 10).outside(9)).isEqualTo(1009);
    assertThatThrownBy(() -> new IdMapping(0, 1000, 10).outside(10))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private String inside(String script) throws Exception {
    Process process =
        new ProcessBuilder(
                "nsenter",
                "--user=" + pins.get(NamespaceType.USER),
                "--net=" + pins.get(NamespaceType.NET),
                "--uts=" + pins.get(NamespaceType.UTS),
                "sh",
                "-c",
                script)
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    return said;
  }

  /** One that an earlier test has ended may not have been waited for yet. */
  private static void assertNoProcessStays() throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (!children().isEmpty() && System.nanoTime() < end) {
      Thread.sleep(5);
    }
    assertThat(children()).as("processes that stay").isEmpty();
  }

  private static List<String> children() {
    return ProcessHandle.current()
        .children()
        .map(child -> child.info().command().orElse("?"))
        .toList();
  }
}
