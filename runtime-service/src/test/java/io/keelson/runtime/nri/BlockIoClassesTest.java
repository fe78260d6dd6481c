package io.keelson.runtime.nri;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.keelson.sandbox.error.FailedPreconditionException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Classes of block I/O, for nodes of disks that the test makes: major 7 is the loop devices. */
class BlockIoClassesTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void nodes() throws Exception {
    file = folder.resolve("classes.yaml");
    for (String minor : List.of("0", "1")) {
      Process mknod =
          new ProcessBuilder("mknod", folder.resolve("disk" + minor).toString(), "b", "7", minor)
              .inheritIO()
              .start();
      assertThat(mknod.waitFor()).isZero();
    }
    Files.createFile(folder.resolve("disk9"));
    Files.createSymbolicLink(folder.resolve("by-name"), folder.resolve("disk1"));
  }

  private ObjectNode written(String name, String yaml) throws IOException {
    Files.writeString(file, yaml.replace("@", folder.toString()));
    ObjectNode spec = JSON.createObjectNode();
    new BlockIoClasses(file).of(name).accept(spec);
    return (ObjectNode)
        JSON.readTree(spec.toString()).path("linux").path("resources").path("blockIO");
  }

  /**
   * Red if a limit is not for all disks of its glob, or a later rule does not come over earlier.
   */
  @Test
  void everyLimitIsWrittenForEveryDisk() throws Exception {
    ObjectNode written =
        written(
            "slow",
            """
            Classes:
              slow:
                - Weight: 80
                - Devices: ["@/disk*"]
                  ThrottleReadBps: 50M
                  ThrottleWriteBps: 1Ki
                  ThrottleReadIOPS: 10k
                  ThrottleWriteIOPS: 1.5k
                  Weight: 50
                - Devices: ["@/by-*"]
                  ThrottleReadBps: 7
              other: []
            """);

    assertThat(written)
        .isEqualTo(
            JSON.readTree(
                """
                {"weight": 80,
                 "throttleReadBpsDevice": [{"major": 7, "minor": 0, "rate": 50000000},
                                           {"major": 7, "minor": 1, "rate": 7}],
                 "throttleWriteBpsDevice": [{"major": 7, "minor": 0, "rate": 1024},
                                            {"major": 7, "minor": 1, "rate": 1024}],
                 "throttleReadIOPSDevice": [{"major": 7, "minor": 0, "rate": 10000},
                                            {"major": 7, "minor": 1, "rate": 10000}],
                 "throttleWriteIOPSDevice": [{"major": 7, "minor": 0, "rate": 1500},
                                             {"major": 7, "minor": 1, "rate": 1500}],
                 "weightDevice": [{"major": 7, "minor": 0, "weight": 50},
                                  {"major": 7, "minor": 1, "weight": 50}]}
                """));
  }

  /** Red if a class that is not what its author meant is taken for one without limits. */
  @Test
  void whatMakesNoSenseIsRefused() {
    for (String rule :
        List.of(
            "ThrottleReadBps: 5M",
            "Weight: 5",
            "Weight: many",
            "{Devices: [/dev/null], ThrotleReadBps: 5}",
            "{Devices: [dev/sda], Weight: 50}")) {
      assertThatThrownBy(() -> written("x", "Classes: {x: [" + rule + "]}"))
          .as(rule)
          .isInstanceOf(FailedPreconditionException.class)
          .hasMessageContaining("\"x\"");
    }
    assertThatThrownBy(() -> written("none", "Classes: {x: []}")).hasMessageContaining("\"none\"");
    assertThatThrownBy(() -> new BlockIoClasses(folder.resolve("absent")).of("x"))
        .isInstanceOf(FailedPreconditionException.class);
  }
}
