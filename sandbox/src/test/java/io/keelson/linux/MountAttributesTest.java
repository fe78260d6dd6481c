package io.keelson.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MountAttributesTest {

  @TempDir Path base;

  @BeforeEach
  void mountOfOurOwn() throws IOException {
    Mounts.mount("tmpfs", base, "tmpfs", 0, null);
  }

  @AfterEach
  void takeAllAway() throws IOException {
    Mounts.detach(base);
  }

  @Test
  void readOnlyReachesTheMountsBelow() throws Exception {
    Path target = base.resolve("target");
    Files.createDirectories(target.resolve("below"));
    Mounts.bind(target, target);
    Mounts.mount("below", target.resolve("below"), "tmpfs", 0, null);

    MountAttributes.makeReadOnly(target);

    assertThatThrownBy(() -> Files.createFile(target.resolve("x")))
        .isInstanceOf(FileSystemException.class);
    assertThatThrownBy(() -> Files.createFile(target.resolve("below/x")))
        .isInstanceOf(FileSystemException.class);
    Files.createFile(base.resolve("x"));
  }

  @Test
  void anIdMappedBindShowsMappedOwners() throws Exception {
    Path source = Files.createDirectory(base.resolve("source"));
    Path target = Files.createDirectory(base.resolve("target"));
    Files.createFile(source.resolve("file"));
    Fd[] pipe = Fd.pipe();
    try (Fd read = pipe[0];
        Fd write = pipe[1];
        Spawned holder =
            Spawn.start(
                List.of("unshare", "-U", "sh", "-c", "echo in; exec sleep 1000"),
                Map.of(),
                null,
                SpawnFiles.none().fd(1, write),
                true)) {
      assertThat(read.read(new byte[8], 0, 8)).isPositive();
      Path proc = Path.of("/proc/" + holder.pid());
      Files.writeString(proc.resolve("uid_map"), "0 70000 1000");
      Files.writeString(proc.resolve("gid_map"), "0 80000 1000");

      MountAttributes.bindIdMapped(source, target, proc.resolve("ns/user"));
    }

    assertThat(Files.getAttribute(target.resolve("file"), "unix:uid")).isEqualTo(70000);
    assertThat(Files.getAttribute(target.resolve("file"), "unix:gid")).isEqualTo(80000);
    assertThat(Files.getAttribute(source.resolve("file"), "unix:uid")).isEqualTo(0);
  }

  @Test
  void anErrorNamesWhatWasTried() {
    assertThatThrownBy(() -> MountAttributes.makeReadOnly(base.resolve("none")))
        .hasMessageContaining("none")
        .hasMessageContaining("ENOENT");
    assertThatThrownBy(
            () -> MountAttributes.bindIdMapped(base, base, Path.of("/proc/self/ns/user")))
        .hasMessageContaining("MOUNT_ATTR_IDMAP");
  }
}
