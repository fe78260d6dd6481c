package io.keelson.cni.plugin;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.cni.plugin.ConfigurationFolder.Contents;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigurationFolderTest {

  private static final String GOOD =
      "{\"cniVersion\":\"1.0.0\",\"name\":\"%s\",\"plugins\":[{\"type\":\"bridge\"}]}";

  @TempDir Path folder;

  private void file(String name, String content) throws IOException {
    Files.writeString(folder.resolve(name), content);
  }

  private Contents load() {
    return new ConfigurationFolder(folder).load();
  }

  @Test
  void firstValidFileInTheOrderOfNamesWins() throws IOException {
    file("30-c.conflist", GOOD.formatted("third"));
    file("20-b.conf", "{\"cniVersion\":\"0.3.1\",\"name\":\"second\",\"type\":\"ptp\"}");
    file("10-a.json", "oops");
    file("05-readme.txt", GOOD.formatted("unrelated"));
    file("00-off.conflist.bak", GOOD.formatted("unrelated"));
    Files.createDirectory(folder.resolve("01-folder.conf"));
    Contents contents = load();
    assertThat(contents.network().orElseThrow().name()).isEqualTo("second");
    assertThat(contents.network().orElseThrow().version()).isEqualTo(CniVersion.V0_3_1);
    assertThat(contents.broken())
        .singleElement()
        .asString()
        .startsWith(folder + "/10-a.json is no JSON");
  }

  @Test
  void missingFolderIsEmptyAndAFileInItsPlaceIsBroken() throws IOException {
    assertThat(new ConfigurationFolder(folder.resolve("none")).load().isEmpty()).isTrue();
    file("file", "");
    Contents contents = new ConfigurationFolder(folder.resolve("file")).load();
    assertThat(contents.isEmpty()).isFalse();
    assertThat(contents.broken()).singleElement().asString().contains("can't be read");
  }

  @Test
  void pluginsOfTheNetworksOwnFolderFollowTheInlinedOnes() throws IOException {
    file("10-a.conflist", GOOD.formatted("podnet"));
    Path own = Files.createDirectory(folder.resolve("podnet"));
    Files.writeString(own.resolve("20-b.conf"), "{\"type\":\"tuning\"}");
    Files.writeString(own.resolve("10-a.conf"), "{\"type\":\"portmap\"}");
    Files.writeString(own.resolve("ignored.txt"), "x");
    assertThat(load().network().orElseThrow().plugins())
        .extracting(PluginConfiguration::type)
        .containsExactly("bridge", "portmap", "tuning");
    assertThat(load().folders()).containsExactly(folder, own);

    file(
        "10-a.conflist",
        GOOD.formatted("podnet").replace("{\"cni", "{\"loadOnlyInlinedPlugins\":true,\"cni"));
    assertThat(load().network().orElseThrow().plugins()).hasSize(1);

    file("10-a.conflist", "{\"cniVersion\":\"1.1.0\",\"name\":\"podnet\"}");
    assertThat(load().network().orElseThrow().plugins()).hasSize(2);
    Files.writeString(own.resolve("20-b.conf"), "{}");
    assertThat(load().broken())
        .singleElement()
        .asString()
        .contains("20-b.conf has a plugin without");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`` | is no JSON",
        "[] | is no JSON object",
        "{\"name\":\"n\"} {} | is no JSON",
        "{\"cniVersion\":\"1.0.0\",\"plugins\":[{\"type\":\"b\"}]} | has no \"name\"",
        "{\"cniVersion\":\"1.0.0\",\"name\":7,\"plugins\":[{\"type\":\"b\"}]} | has a \"name\" that is no string",
        "{\"cniVersion\":\"1.0.0\",\"name\":\"../n\",\"plugins\":[{\"type\":\"b\"}]} | has the name \"../n\"",
        "{\"name\":\"n\",\"plugins\":[{\"type\":\"b\"}]} | has no \"cniVersion\"; supported are 0.3.0, ",
        "{\"cniVersion\":\"0.2.0\",\"name\":\"n\",\"plugins\":[{\"type\":\"b\"}]} | wants CNI 0.2.0; supported",
        "{\"cniVersion\":\"2.0.0\",\"name\":\"n\",\"plugins\":[{\"type\":\"b\"}]} | wants CNI 2.0.0; supported",
        "{\"cniVersions\":7,\"name\":\"n\",\"plugins\":[{\"type\":\"b\"}]} | has \"cniVersions\" that are no list",
        "{\"cniVersion\":\"1.0.0\",\"name\":\"n\"} | has no plugins",
        "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"plugins\":[]} | has a \"plugins\" that is no list",
        "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"plugins\":[7]} | has an entry in \"plugins\"",
        "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"plugins\":[{}]} | has a plugin without a \"type\"",
        "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"plugins\":[{\"type\":\"../../bin/sh\"}]} | has a plugin whose type is no file name",
        "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"plugins\":[{\"type\":\"..\"}]} | has a plugin whose type is no file name",
        "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"disableGC\":3,\"plugins\":[{\"type\":\"b\"}]} | has a \"disableGC\" that is neither",
        "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"plugins\":[{\"type\":\"b\",\"capabilities\":[]}]} | has \"capabilities\" of plugin b",
      })
  void whatIsWrongIsSaid(String content, String message) throws IOException {
    file("10-a.conflist", content);
    assertThat(load().network()).isEmpty();
    assertThat(load().broken())
        .singleElement()
        .asString()
        .startsWith(folder.resolve("10-a.conflist") + " " + message);
  }

  @Test
  void listUnderTheNameOfASinglePluginSaysWhatToDo() throws IOException {
    file("10-a.conf", GOOD.formatted("n"));
    assertThat(load().broken()).singleElement().asString().endsWith("rename it to *.conflist");
  }

  @Test
  void hugeFileIsNotReadWhole() throws IOException {
    file("10-a.conflist", " ".repeat(3 << 20) + GOOD.formatted("n"));
    assertThat(load().broken()).singleElement().asString().contains("is larger than");
  }

  @Test
  void newestKnownVersionIsTaken() throws IOException {
    file(
        "10-a.conflist",
        "{\"cniVersion\":\"0.4.0\",\"cniVersions\":[\"1.0.0\",\"0.3.1\",\"9.0.0\"],"
            + "\"name\":\"n\",\"disableCheck\":\"true\",\"plugins\":[{\"type\":\"b\"}]}");
    NetworkConfiguration network = load().network().orElseThrow();
    assertThat(network.versions())
        .isEqualTo(List.of(CniVersion.V0_3_1, CniVersion.V0_4_0, CniVersion.V1_0_0));
    assertThat(network.disableCheck()).isTrue();
    assertThat(network.disableGc()).isFalse();
  }
}
