package io.keelson.device.cdi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.spec.SpecBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CdiFoldersTest {

  @TempDir Path folder;

  private Path etc;
  private Path run;
  private CdiFolders folders;

  @BeforeEach
  void create() throws IOException {
    etc = Files.createDirectory(folder.resolve("etc"));
    run = folder.resolve("run"); // made later, as on many hosts
    folders = new CdiFolders(List.of(etc, run));
  }

  @Test
  void theFullEditSetReachesTheSpec() throws Exception {
    Files.writeString(
        etc.resolve("full.yaml"),
        """
        cdiVersion: "0.7.0"
        kind: vendor.example/thing
        containerEdits:
          env: [ALL=1]
        devices:
          - name: one
            containerEdits:
              env: ["ONE=a=b"]
              deviceNodes:
                - path: /dev/thing
                  hostPath: /dev/null
                  permissions: rw
                  fileMode: 0640
                  gid: 44
                - path: /dev/pinned
                  type: c
                  major: 240
                  minor: 7
              mounts:
                - hostPath: /usr/lib/thing
                  containerPath: /opt/thing
                  options: [ro, rbind]
              hooks:
                - hookName: createContainer
                  path: /usr/bin/thing-hook
                  args: [thing-hook, update]
                  timeout: 3
              additionalGids: [44, 0]
              netDevices:
                - hostInterfaceName: eth7
                  name: fast0
              intelRdt:
                closID: class
                schemata: ["L3:0=f"]
                enableMonitoring: true
        """);
    CdiEdits edits = folders.resolve(List.of("vendor.example/thing=one"));
    SpecBuilder spec = new SpecBuilder();
    CdiApplication.apply(edits, spec, false);

    String json = new String(spec.toJson(), java.nio.charset.StandardCharsets.UTF_8);
    assertThat(spec.env()).containsEntry("ALL", "1").containsEntry("ONE", "a=b");
    assertThat(json)
        .contains(
            "{\"path\":\"/dev/thing\",\"type\":\"c\",\"major\":1,\"minor\":3,\"fileMode\":416,"
                + "\"uid\":0,\"gid\":44}")
        .contains("{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":3,\"access\":\"rw\"}")
        .contains("{\"allow\":true,\"type\":\"c\",\"major\":240,\"minor\":7,\"access\":\"rwm\"}")
        .contains("\"destination\":\"/opt/thing\"")
        .contains("\"createContainer\":[{\"path\":\"/usr/bin/thing-hook\"")
        .contains("\"additionalGids\":[44]")
        .contains(
            "\"intelRdt\":{\"closID\":\"class\",\"schemata\":[\"L3:0=f\"],"
                + "\"enableMonitoring\":true}");
    assertThat(edits.netDevices()).containsExactly(new CdiEdits.NetDevice("eth7", "fast0"));
  }

  @Test
  void aSpecsOwnEditsComeOnceAndBeforeThoseOfItsDevices() throws Exception {
    write(etc, "a.json", "vendor.example/a", "x", "y");
    CdiEdits edits =
        folders.resolve(List.of("vendor.example/a=y", "vendor.example/a=x", "vendor.example/a=y"));
    assertThat(edits.env()).containsExactly("SPEC=a.json", "DEVICE=y", "DEVICE=x");
  }

  @Test
  void theLaterFolderWinsAndTwoInOneFolderAreAConflict() throws Exception {
    write(etc, "a.json", "vendor.example/a", "x");
    Files.createDirectory(run);
    write(run, "b.json", "vendor.example/a", "x");
    assertThat(folders.resolve(List.of("vendor.example/a=x")).env()).contains("SPEC=b.json");
    write(run, "c.json", "vendor.example/a", "x");
    assertThatThrownBy(() -> folders.resolve(List.of("vendor.example/a=x")))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("defined more than once")
        .hasMessageContaining("b.json")
        .hasMessageContaining("c.json");
  }

  /** A spec that a vendor's tool wrote anew is in force for the next container. */
  @Test
  void changesAreSeenAtOnce() throws Exception {
    assertThatThrownBy(() -> folders.resolve(List.of("vendor.example/a=x")))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("has a device vendor.example/a=x");
    write(etc, "a.json", "vendor.example/a", "x");
    assertThat(folders.resolve(List.of("vendor.example/a=x")).env()).hasSize(2);
    Path next = folder.resolve("next");
    Files.copy(etc.resolve("a.json"), next);
    Files.writeString(next, Files.readString(next).replace("DEVICE=x", "DEVICE=z"));
    Files.move(next, etc.resolve("a.json"), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    assertThat(folders.resolve(List.of("vendor.example/a=x")).env()).contains("DEVICE=z");
    Files.delete(etc.resolve("a.json"));
    assertThat(folders.inventory().devices()).isEmpty();
  }

  @Test
  void aBrokenSpecHarmsNoOtherAndIsTold() throws Exception {
    write(etc, "a.json", "vendor.example/a", "x");
    Files.writeString(etc.resolve("broken.json"), "{");
    Files.writeString(
        etc.resolve("old.json"), "{\"cdiVersion\":\"9.0.0\",\"kind\":\"v.example/c\"}");
    assertThat(folders.resolve(List.of("vendor.example/a=x")).env()).isNotEmpty();
    assertThat(folders.inventory().errors())
        .containsOnlyKeys(etc.resolve("broken.json"), etc.resolve("old.json"));
    assertThatThrownBy(() -> folders.resolve(List.of("vendor.example/a=none")))
        .hasMessageContaining("old.json")
        .hasMessageContaining("cdiVersion \"9.0.0\" is not known");
    assertThatThrownBy(() -> folders.resolve(List.of("no-name")))
        .isInstanceOf(InvalidRequestException.class);
  }

  private static void write(Path folder, String file, String kind, String... devices)
      throws IOException {
    StringBuilder text = new StringBuilder("{\"cdiVersion\":\"0.6.0\",\"kind\":\"" + kind + "\",");
    text.append("\"containerEdits\":{\"env\":[\"SPEC=" + file + "\"]},\"devices\":[");
    for (String device : devices) {
      text.append(device.equals(devices[0]) ? "" : ",");
      text.append("{\"name\":\"" + device + "\",");
      text.append("\"containerEdits\":{\"env\":[\"DEVICE=" + device + "\"]}}");
    }
    Files.writeString(folder.resolve(file), text + "]}");
  }
}
