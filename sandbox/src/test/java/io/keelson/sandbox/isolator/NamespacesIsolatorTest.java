package io.keelson.sandbox.isolator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.linux.NamespaceType;
import io.keelson.proto.cri.v1.IDMapping;
import io.keelson.proto.cri.v1.NamespaceMode;
import io.keelson.proto.cri.v1.NamespaceOption;
import io.keelson.proto.cri.v1.UserNamespace;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.spec.SpecBuilder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NamespacesIsolatorTest {

  private static final Path NET = Path.of("/run/netns/x");
  private static final Path HOLDER = Path.of("/proc/77/ns/pid");
  private static final Path USER = Path.of("/run/ns/user");

  @TempDir Path root;
  private Given given;

  @BeforeEach
  void given() {
    given = new Given(root);
    given.namespaces.put(NamespaceType.NET, NET);
  }

  @Test
  void joinsWhatThePodOwnsAndStaysOnTheHostElsewhere() throws IOException {
    assertThat(namespaces())
        .containsEntry(NamespaceType.NET, Optional.of(NET))
        .containsEntry(NamespaceType.MOUNT, Optional.empty())
        .doesNotContainKeys(NamespaceType.IPC, NamespaceType.UTS);
  }

  @Test
  void sharedPidIsThatOfTheHolder() throws IOException {
    given.namespaces.put(NamespaceType.PID, HOLDER);
    assertThat(namespaces()).containsEntry(NamespaceType.PID, Optional.of(HOLDER));
  }

  @Test
  void ownPidInAPodThatSharesOne() throws IOException {
    given.namespaces.put(NamespaceType.PID, HOLDER);
    pid(NamespaceMode.CONTAINER, "");
    assertThat(namespaces()).containsEntry(NamespaceType.PID, Optional.empty());
  }

  @Test
  void sharedPidInAPodWithoutOneIsItsOwn() throws IOException {
    given.podOptions(NamespaceOption.newBuilder().setPid(NamespaceMode.CONTAINER).build());
    assertThat(namespaces()).containsEntry(NamespaceType.PID, Optional.empty());
  }

  @Test
  void pidOfTheHostOnlyInAPodThatHasIt() throws IOException {
    pid(NamespaceMode.NODE, "");
    assertThatThrownBy(this::namespaces).isInstanceOf(InvalidRequestException.class);
    given.podOptions(NamespaceOption.newBuilder().setPid(NamespaceMode.NODE).build());
    assertThat(namespaces()).doesNotContainKey(NamespaceType.PID);
  }

  @Test
  void targetIsTheNamespaceOfARunningContainer() throws IOException {
    pid(NamespaceMode.TARGET, "other");
    assertThat(namespaces())
        .containsEntry(NamespaceType.PID, Optional.of(Path.of("/proc/4711/ns/pid")));
    pid(NamespaceMode.TARGET, "gone");
    assertThatThrownBy(this::namespaces)
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("gone");
    pid(NamespaceMode.TARGET, "");
    assertThatThrownBy(this::namespaces).isInstanceOf(InvalidRequestException.class);
  }

  @Test
  void ownCgroupNamespaceOnV2UnlessPrivileged() throws IOException {
    assertThat(namespaces()).containsEntry(NamespaceType.CGROUP, Optional.empty());
    given.privileged();
    assertThat(namespaces()).doesNotContainKey(NamespaceType.CGROUP);
  }

  @Test
  void joinsTheUserNamespaceOfThePodAndTellsItsRanges() throws IOException {
    IDMapping range = IDMapping.newBuilder().setHostId(5000).setLength(100).build();
    UserNamespace users =
        UserNamespace.newBuilder().setMode(NamespaceMode.POD).addUids(range).addGids(range).build();
    given.podOptions(NamespaceOption.newBuilder().setUsernsOptions(users).build());
    given.namespaces.put(NamespaceType.USER, USER);
    SpecBuilder spec = given.prepared(isolator());
    assertThat(spec.namespaces()).containsEntry(NamespaceType.USER, Optional.of(USER));
    assertThat(Given.json(spec).at("/linux/uidMappings").toString())
        .isEqualTo("[{\"containerID\":0,\"hostID\":5000,\"size\":100}]");

    userNamespace(users);
    assertThat(namespaces()).containsKey(NamespaceType.USER);
    userNamespace(UserNamespace.newBuilder().setMode(NamespaceMode.NODE).build());
    assertThatThrownBy(this::namespaces).isInstanceOf(InvalidRequestException.class);
  }

  @Test
  void aUserNamespaceInAPodWithoutOneIsRefused() throws IOException {
    userNamespace(UserNamespace.newBuilder().setMode(NamespaceMode.POD).build());
    assertThatThrownBy(this::namespaces).isInstanceOf(InvalidRequestException.class);
    userNamespace(UserNamespace.newBuilder().setMode(NamespaceMode.NODE).build());
    assertThat(namespaces()).doesNotContainKey(NamespaceType.USER);
  }

  private void userNamespace(UserNamespace options) {
    given.security(security -> security.getNamespaceOptionsBuilder().setUsernsOptions(options));
  }

  private void pid(NamespaceMode mode, String target) {
    given.security(
        security -> security.getNamespaceOptionsBuilder().setPid(mode).setTargetId(target));
  }

  private Map<NamespaceType, Optional<Path>> namespaces() throws IOException {
    return given.prepared(isolator()).namespaces();
  }

  private static NamespacesIsolator isolator() {
    PidTargets targets =
        (_, container) -> container.equals("other") ? OptionalInt.of(4711) : OptionalInt.empty();
    return new NamespacesIsolator(Given.host(), targets);
  }
}
