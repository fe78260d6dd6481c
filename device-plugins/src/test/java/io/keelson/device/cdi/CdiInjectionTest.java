package io.keelson.device.cdi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.spec.SpecBuilder;
import io.keelson.sandbox.spec.SpecUser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Devices that change between the making of a container and its start. */
class CdiInjectionTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String DEVICE = "vendor.example/thing=one";

  @TempDir Path folder;
  private Path bundle;
  private CdiInjection injection;

  @BeforeEach
  void container() throws Exception {
    bundle = Files.createDirectory(folder.resolve("bundle"));
    Files.createDirectory(folder.resolve("cdi"));
    injection = new CdiInjection(new CdiFolders(List.of(folder.resolve("cdi"))), folder);
    Files.createFile(folder.resolve("schemata"));
  }

  private void spec(String edits) throws IOException {
    Path next = folder.resolve("next");
    Files.writeString(
        next,
        "{cdiVersion: 1.1.0, kind: vendor.example/thing, devices: [{name: one, containerEdits: "
            + edits
            + "}]}");
    Files.move(
        next, folder.resolve("cdi/thing.yaml"), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
  }

  private void make() throws IOException {
    SpecBuilder spec = new SpecBuilder();
    spec.user(new SpecUser(7, 8, List.of(9L)));
    spec.env("OTHER", "x");
    injection.inject(bundle, List.of(DEVICE), spec, false);
    Files.write(bundle.resolve("config.json"), spec.toJson());
  }

  private JsonNode config() throws IOException {
    return JSON.readTree(Files.readAllBytes(bundle.resolve("config.json")));
  }

  /** Red if a part of the edits stays as it was, doubles, or what others wrote is lost. */
  @Test
  void everyEditIsThatOfTheStart() throws Exception {
    spec(
        "{env: [A=1, GONE=1], deviceNodes: [{path: /dev/a, type: c, major: 240, minor: 1}],"
            + " mounts: [{hostPath: /old, containerPath: /m}, {hostPath: /g, containerPath: /g}],"
            + " hooks: [{hookName: createContainer, path: /old}], additionalGids: [50],"
            + " netDevices: [{hostInterfaceName: eth8, name: net0}],"
            + " intelRdt: {closID: old}}");
    make();
    ObjectNode changed = (ObjectNode) config();
    ((ObjectNode) changed.path("linux")).putArray("maskedPaths").add("/others");
    changed.withArray("/linux/devices").addObject().put("path", "/dev/others");
    Files.writeString(bundle.resolve("config.json"), changed.toString());
    spec(
        "{env: [A=2, NEW=1], deviceNodes: [{path: /dev/a, type: c, major: 241, minor: 2}],"
            + " mounts: [{hostPath: /new, containerPath: /m}],"
            + " hooks: [{hookName: createContainer, path: /new},"
            + " {hookName: poststop, path: /end}], additionalGids: [51],"
            + " netDevices: [{hostInterfaceName: eth9, name: net0}],"
            + " intelRdt: {schemata: ['L3:0=f']}}");

    assertThat(injection.refresh(bundle))
        .singleElement()
        .satisfies(
            edits ->
                assertThat(edits.netDevices())
                    .containsExactly(new CdiEdits.NetDevice("eth9", "net0")));

    JsonNode config = config();
    assertThat(texts(config, "/process/env"))
        .contains("OTHER=x", "A=2", "NEW=1")
        .doesNotContain("A=1", "GONE=1");
    assertThat(config.at("/process/user"))
        .isEqualTo(JSON.readTree("{\"uid\":7,\"gid\":8,\"additionalGids\":[9,51]}"));
    assertThat(config.at("/linux/devices").toString())
        .contains("\"major\":241")
        .contains("/dev/others")
        .doesNotContain("\"major\":240");
    assertThat(config.at("/linux/resources/devices").toString())
        .contains("\"major\":241")
        .doesNotContain("\"major\":240");
    assertThat(config.at("/mounts").toString()).contains("/new").doesNotContain("/old", "/g\"");
    assertThat(config.at("/hooks/createContainer").toString())
        .contains("/new")
        .doesNotContain("/old");
    assertThat(config.at("/hooks/poststop").toString()).contains("/end");
    assertThat(config.at("/linux/intelRdt").toString()).isEqualTo("{\"schemata\":[\"L3:0=f\"]}");
    assertThat(config.at("/linux/maskedPaths/0").asText()).isEqualTo("/others");
    assertThat(injection.refresh(bundle)).isEmpty();
  }

  /** Red if a container runs without the cache that its device is to have, or wants none of it. */
  @Test
  void aClassOfResourcesNeedsAHostThatHasThem() throws Exception {
    spec("{env: [A=1]}");
    make();
    Files.delete(folder.resolve("schemata"));
    assertThat(injection.refresh(bundle)).isEmpty();
    spec("{intelRdt: {closID: mine}}");
    for (int i = 0; i < 2; i++) { // a start is tried again
      assertThatThrownBy(() -> injection.refresh(bundle))
          .isInstanceOf(FailedPreconditionException.class)
          .hasMessageContaining(DEVICE)
          .hasMessageContaining("resctrl");
    }
    assertThatThrownBy(this::make).isInstanceOf(FailedPreconditionException.class);
  }

  /** Red if a start costs a container anything whose devices are as they were, or that has none. */
  @Test
  void whatHasNotChangedIsNotWritten() throws Exception {
    assertThat(injection.refresh(bundle)).isEmpty();
    spec("{env: [A=1]}");
    make();
    Object written = Files.getAttribute(bundle.resolve("config.json"), "unix:ino");

    assertThat(injection.refresh(bundle)).isEmpty();
    assertThat(Files.getAttribute(bundle.resolve("config.json"), "unix:ino")).isEqualTo(written);
  }

  /** Red if a container starts with a device that is there no more. */
  @Test
  void aDeviceThatHasGoneIsMissed() throws Exception {
    spec("{env: [A=1]}");
    make();
    Files.delete(folder.resolve("cdi/thing.yaml"));

    assertThatThrownBy(() -> injection.refresh(bundle))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining(DEVICE);
  }

  private static List<String> texts(JsonNode root, String pointer) {
    return root.at(pointer).valueStream().map(JsonNode::asText).toList();
  }
}
