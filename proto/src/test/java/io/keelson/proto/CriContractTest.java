package io.keelson.proto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertAll;

import com.google.protobuf.DebugFormat;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.TextFormat;
import io.keelson.proto.cri.v1.Api;
import io.keelson.proto.cri.v1.AuthConfig;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** CRI v1 as compiled is CRI v1 as every kubelet speaks it. */
class CriContractTest {
  private static final List<String> TABLE = WireTable.parse(table());

  private static final List<String> COMPILED = WireTable.describe(Api.getDescriptor());

  /** Turns red for anything renamed, renumbered, retyped, left out or added. */
  @Test
  void compiledContractIsTheWireTable() {
    // Differences alone: printed in full, two contracts hide what differs.
    assertAll(
        () -> assertThat(without(TABLE, COMPILED)).as("in the table only").isEmpty(),
        () -> assertThat(without(COMPILED, TABLE)).as("compiled only").isEmpty(),
        () -> assertThat(COMPILED.size()).as("facts").isEqualTo(TABLE.size()));
  }

  /** Turns red if the comparison above compares nothing, or goes blind for one kind of fact. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "package runtime.v1 syntax proto3",
        "service ImageService",
        "rpc RuntimeService.GetContainerEvents(GetEventsRequest)"
            + " returns (stream ContainerEventResponse)",
        "message StopContainerResponse",
        "field Mount.uidMappings = 6 repeated IDMapping",
        "field ContainerConfig.labels = 9 map<string, string>",
        "field SecurityProfile.profile_type = 1 SecurityProfile.ProfileType",
        "field LinuxContainerSecurityContext.apparmor_profile = 9 string deprecated",
        "enum SecurityProfile.ProfileType: RuntimeDefault=0, Unconfined=1, Localhost=2",
      })
  void knowsEveryKindOfFact(String fact) {
    assertThat(Collections.frequency(TABLE, fact)).isEqualTo(1);
    assertThat(Collections.frequency(COMPILED, fact)).isEqualTo(1);
  }

  /** Turns red if one changed fact of any kind could pass as the contract. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "name: 'PodIP' field { name: 'ip' number: 2 type: TYPE_STRING label: LABEL_OPTIONAL }",
        "name: 'PodIP' field { name: 'ip' number: 1 type: TYPE_BYTES label: LABEL_OPTIONAL }",
        "name: 'PodIP' field { name: 'ip' number: 1 type: TYPE_STRING label: LABEL_REPEATED }",
        "name: 'PodIP' field { name: 'IP' number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }",
        "name: 'PodIP' field { name: 'ip' number: 1 type: TYPE_STRING label: LABEL_OPTIONAL"
            + " options { deprecated: true } }",
        "name: 'PodIP' field { name: 'ip' number: 1 type: TYPE_STRING label: LABEL_OPTIONAL"
            + " oneof_index: 0 } oneof_decl { name: 'choice' }",
        "name: 'PodIP'",
      })
  void tellsChangedMessagesApart(String message) throws Exception {
    FileDescriptorProto.Builder changed = Api.getDescriptor().toProto().toBuilder();
    int index = Api.getDescriptor().findMessageTypeByName("PodIP").getIndex();
    changed.getMessageTypeBuilder(index).clear();
    TextFormat.merge(message, changed.getMessageTypeBuilder(index));

    FileDescriptor file = FileDescriptor.buildFrom(changed.build(), new FileDescriptor[0]);

    assertThat(WireTable.describe(file)).isNotEqualTo(COMPILED);
  }

  @Test
  void refusesLinesItCannotRead() {
    assertThatThrownBy(() -> WireTable.parse(List.of("message A", "  reserved 3")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("reserved 3");
  }

  /** Turns red if a request printed for debugging would give away a registry's credentials. */
  @Test
  void debugFormHidesCredentials() {
    AuthConfig credentials =
        AuthConfig.newBuilder()
            .setUsername("robot")
            .setPassword("secret-1")
            .setAuth("secret-2")
            .setIdentityToken("secret-3")
            .setRegistryToken("secret-4")
            .build();

    assertThat(DebugFormat.singleLine().toString(credentials))
        .contains("robot")
        .doesNotContain("secret-");
  }

  private static List<String> without(List<String> facts, List<String> others) {
    Set<String> known = new HashSet<>(others);
    return facts.stream().filter(fact -> !known.contains(fact)).toList();
  }

  private static List<String> table() {
    try (InputStream table = CriContractTest.class.getResourceAsStream("cri-v1.wire.txt")) {
      return new String(table.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
