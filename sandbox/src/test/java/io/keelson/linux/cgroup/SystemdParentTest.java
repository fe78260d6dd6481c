package io.keelson.linux.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.keelson.linux.Commands;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A pod's slice on a host that systemd started; elsewhere there is nothing to test. */
class SystemdParentTest {

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final String slice = "keelsontest-" + ProcessHandle.current().pid() + ".slice";

  @BeforeEach
  void systemd() throws IOException {
    assumeTrue(Files.isDirectory(Path.of("/run/systemd/system")), "systemd started this host");
    assumeTrue(CgroupHost.detect().layout() == CgroupLayout.V2, "this host has cgroup v2");
  }

  @AfterEach
  void stopSlices() throws IOException {
    if (Files.isDirectory(Path.of("/run/systemd/system"))) {
      Systemctl.stop(slice, PATIENCE);
      Systemctl.stop("keelsontest.slice", PATIENCE);
    }
  }

  @Test
  void aSliceThatAScopeBroughtGoesFromSystemdAndFromTheTree() throws IOException {
    Cgroups cgroups = CgroupHost.detect().cgroups();
    String group = CgroupDriver.SYSTEMD.parentGroup(slice);
    run("/usr/bin/systemd-run", "--quiet", "--scope", "--slice=" + slice, "/bin/true");
    assertThat(cgroups.exists(group)).isTrue();

    CgroupDriver.SYSTEMD.removeParent(cgroups, slice, PATIENCE);
    CgroupDriver.SYSTEMD.removeParent(cgroups, slice, PATIENCE);

    assertThat(cgroups.exists(group)).isFalse();
    assertThat(run("/usr/bin/systemctl", "show", "-P", "ActiveState", slice)).isEqualTo("inactive");
  }

  @Test
  void aGroupThatSystemdDoesNotKnowGoesToo() throws IOException {
    Cgroups cgroups = CgroupHost.detect().cgroups();
    String group = CgroupDriver.SYSTEMD.parentGroup(slice);
    cgroups.create(group);

    CgroupDriver.SYSTEMD.removeParent(cgroups, slice, PATIENCE);

    assertThat(cgroups.exists(group)).isFalse();
  }

  private static String run(String... command) throws IOException {
    Commands.Output output =
        Commands.run(List.of(command), Map.of(), new byte[0], PATIENCE, 1 << 16);
    assertThat(output.isSuccess()).as(output.stderrText()).isTrue();
    return output.stdoutText().strip();
  }
}
