package io.keelson.device.builtin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.keelson.device.nic.NicDefinition;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The administrator's files. */
class BuiltInPluginsTest {

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[[unix]] | resource name \"\" is not of the form",
        "[[unix]];resource = \"a.b/c\" | neither paths nor numbers",
        "[[unix]];resource = \"a.b/c\";numbers = [\"x 1:2\"] | is not of the form \"c"
            + " MAJOR:MINOR\"",
        "[[unix]];resource = \"a.b/c\";paths = [\"/x\"];owner = \"me\" | owner \"me\" is not",
        "[[unix]];resource = \"a.b/c\";paths = [\"/x\"];mode = \"rw\" | mode \"rw\" is not",
        "[[unix]];resource = \"a.b/c\";path = [\"/dev/x\"] | unknown key path",
        "[[gpu]];vendors = [\"acme\"] | GPU vendor \"acme\" is none of",
        "[[disk]] | there are unix, gpu",
        "unix = 3 | write [[unix]]",
        "[[gpu]];shares = 0 | shares must be a number from 1 to 1000",
        "[[nic]];resource = \"a.b/c\" | parents must name",
        "[[nic]];resource = \"a.b/c\";parents = [\"eth1\"];kind = \"bond\" | kind must be one of",
        "[[nic]];resource = \"a.b/c\";parents = [\"eth1\"];shares = 2 | an interface is in one pod",
        "[[nic]];resource = \"a.b/c\";parents = [\"eth1\"];kind = \"sriov\";shares = 2 | shares is"
            + " for the kinds macvlan and ipvlan",
        "[[nic]];resource = \"a.b/c\";parents = [\"eth1\"];kind = \"ipvlan\";count = 2 | count is"
            + " of the virtual functions",
      })
  void aWrongDefinitionIsRefusedWithItsFile(String text, String message) throws Exception {
    Path file = folder.resolve("bad.toml");
    Files.writeString(file, text.replace(';', '\n'));
    assertThatThrownBy(() -> BuiltInPlugins.read(folder, Duration.ofHours(1), (_, _, _, _) -> {}))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(message);
  }

  @Test
  void interfacesAreOfferedAsTheirKindCan() throws Exception {
    try (FakeHost host = new FakeHost(folder)) {
      assertThat(
              host.read(
                      """
                      [[nic]]
                      resource = "nic.keelson.io/child"
                      kind = "macvlan"
                      parents = ["eth1"]
                      shares = 3

                      [[nic]]
                      resource = "nic.keelson.io/function"
                      kind = "sriov"
                      parents = ["eth2"]
                      count = 4
                      """)
                  .nics())
          .extracting(NicDefinition::kind, NicDefinition::shares, NicDefinition::functions)
          .containsExactly(
              tuple(NicDefinition.Kind.MACVLAN, 3, 0), tuple(NicDefinition.Kind.SRIOV, 1, 4));
    }
  }
}
