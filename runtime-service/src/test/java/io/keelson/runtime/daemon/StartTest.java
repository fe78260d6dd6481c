package io.keelson.runtime.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.linux.cgroup.CgroupDriver;
import io.keelson.linux.cgroup.CgroupHost;
import io.keelson.runtime.config.ConfigurationLoader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is checked before the daemon starts. */
class StartTest {

  private static final Path FILE = Path.of("/etc/keelson/config.toml");

  @TempDir private Path folder;

  @Test
  void aFolderHasOneDaemon() throws Exception {
    Path state = folder.resolve("state");
    try (FolderLock _ = FolderLock.acquire(state)) {
      assertThatThrownBy(() -> FolderLock.acquire(state).close())
          .isInstanceOf(StartException.class)
          .hasMessageContaining(
              "(process " + ProcessHandle.current().pid() + ") works in " + state);
    }
    assertThatCode(() -> FolderLock.acquire(state).close()).doesNotThrowAnyException();
  }

  @Test
  void missingProgramsAreNamedWithTheirPackages() {
    String toml =
        """
        conmon = "no-such-conmon"
        default_runtime = "youki"
        cgroup_driver = "systemd"
        [runtimes.youki]
        path = "/no/such/youki"
        """;

    assertThatThrownBy(() -> check(toml, false))
        .isInstanceOf(StartException.class)
        .hasMessageContaining("systemd did not start this host")
        .hasMessageContaining("no program no-such-conmon in PATH; install the package conmon")
        .hasMessageContaining("no program /no/such/youki; install the package youki")
        .hasMessageContaining("runtimes.youki.path");
  }

  @Test
  void aRuntimeThatNobodyAskedForMayBeMissing() throws Exception {
    Path crun = program("crun");
    Path conmon = program("conmon");

    Host host =
        check(
            """
            conmon = "%s"
            cgroup_driver = "cgroupfs"
            [runtimes.crun]
            path = "%s"
            """
                .formatted(conmon, crun),
            true);

    assertThat(host.conmon()).isEqualTo(conmon);
    assertThat(host.handlers()).containsKey("crun");
    assertThat(host.cgroupDriver()).isEqualTo(CgroupDriver.CGROUPFS);
  }

  @Test
  void programsAreFoundInPathInItsOrder() throws IOException {
    Path first = Files.createDirectories(folder.resolve("first"));
    Path second = Files.createDirectories(folder.resolve("second"));
    Files.writeString(first.resolve("tool-of-test"), "not executable");
    Files.createDirectory(first.resolve("dir-of-test"));
    Path tool =
        Files.createFile(
            second.resolve("tool-of-test"),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
    Programs programs = new Programs("relative:" + first + "::" + second);

    assertThat(programs.find("tool-of-test")).contains(tool);
    assertThat(programs.find("dir-of-test")).isEmpty();
    assertThat(programs.find(tool.toString())).contains(tool);
    assertThat(programs.find(first.resolve("tool-of-test").toString())).isEmpty();
    assertThat(new Programs("").find("sh")).isPresent(); // the usual folders come after PATH
  }

  @Test
  void partsEndInReverseAndAllOfThem() {
    List<String> ended = new ArrayList<>();
    Shutdown shutdown = new Shutdown();
    shutdown.add("first", () -> ended.add("first"));
    shutdown.add(
        "second",
        () -> {
          throw new IOException("stuck");
        });
    shutdown.add("third", () -> ended.add("third"));

    shutdown.close();
    shutdown.close();

    assertThat(ended).containsExactly("third", "first");
  }

  private Path program(String name) throws IOException {
    return Files.createFile(
        folder.resolve(name),
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
  }

  private static Host check(String toml, boolean systemd) throws Exception {
    return new HostCheck(
            ConfigurationLoader.parse(FILE, toml), Programs.ofHost(), CgroupHost.detect(), systemd)
        .check();
  }
}
