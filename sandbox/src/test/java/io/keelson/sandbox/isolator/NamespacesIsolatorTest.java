package io.keelson.sandbox.isolator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.linux.NamespaceType;
import io.keelson.proto.cri.v1.NamespaceMode;
import io.keelson.proto.cri.v1.NamespaceOption;
import io.keelson.proto.cri.v1.UserNamespace;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.UnsupportedException;
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
  void userNamespacesAreRefusedForNow() {
    userNamespace(NamespaceMode.POD);
    assertThatThrownBy(this::namespaces).isInstanceOf(UnsupportedException.class);
    userNamespace(NamespaceMode.CONTAINER);
    assertThatThrownBy(this::namespaces).isInstanceOf(InvalidRequestException.class);
  }

  private void userNamespace(NamespaceMode mode) {
    given.security(
        security ->
            security
                .getNamespaceOptionsBuilder()
                .setUsernsOptions(UserNamespace.newBuilder().setMode(mode)));
  }

  private void pid(NamespaceMode mode, String target) {
    given.security(
        security -> security.getNamespaceOptionsBuilder().setPid(mode).setTargetId(target));
  }

  private Map<NamespaceType, Optional<Path>> namespaces() throws IOException {
    PidTargets targets =
        (_, container) -> container.equals("other") ? OptionalInt.of(4711) : OptionalInt.empty();
    return given.prepared(new NamespacesIsolator(Given.host(), targets)).namespaces();
  }
}
