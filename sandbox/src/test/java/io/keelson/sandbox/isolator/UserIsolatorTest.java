package io.keelson.sandbox.isolator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.proto.cri.v1.Int64Value;
import io.keelson.proto.cri.v1.SupplementalGroupsPolicy;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.spec.SpecUser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UserIsolatorTest {

  private final UserIsolator isolator = new UserIsolator();
  @TempDir Path root;
  private Given given;

  @BeforeEach
  void given() throws IOException {
    given =
        new Given(root)
            .file(
                "etc/passwd",
                """
                root:x:0:0:root:/root:/bin/sh
                broken line
                app:x:1000:1001:App:/home/app:/bin/sh
                """)
            .file(
                "etc/group",
                """
                root:x:0:
                app:x:1001:app
                audio:x:29:app,other
                video:x:44:other
                """);
  }

  @Test
  void isRootWithoutAWord() throws IOException {
    assertThat(user()).isEqualTo(new SpecUser(0, 0, List.of(0L)));
    assertThat(given.prepared(isolator).env()).containsEntry("HOME", "/root");
  }

  @Test
  void imageUserByNameGetsItsGroups() throws IOException {
    given.image("app", List.of("/entry"), List.of());
    assertThat(user()).isEqualTo(new SpecUser(1000, 1001, List.of(29L, 1001L)));
    assertThat(given.prepared(isolator).env()).containsEntry("HOME", "/home/app");
  }

  @Test
  void imageUserAndGroupByName() throws IOException {
    given.image("app:video", List.of("/entry"), List.of());
    assertThat(user()).isEqualTo(new SpecUser(1000, 44, List.of(29L, 44L)));
  }

  @Test
  void imageUserAndGroupByNumber() throws IOException {
    given.image("7:8", List.of("/entry"), List.of());
    assertThat(user()).isEqualTo(new SpecUser(7, 8, List.of(8L)));
    assertThat(given.prepared(isolator).env()).containsEntry("HOME", "/");
  }

  @Test
  void runAsUserHidesTheImagesGroup() throws IOException {
    given.image("app:video", List.of("/entry"), List.of());
    given.security(security -> security.setRunAsUser(id(1000)));
    assertThat(user()).isEqualTo(new SpecUser(1000, 1001, List.of(29L, 1001L)));
  }

  @Test
  void runAsUsernameWinsOverRunAsUser() throws IOException {
    given.security(security -> security.setRunAsUser(id(5)).setRunAsUsername("app"));
    assertThat(user().uid()).isEqualTo(1000);
  }

  @Test
  void strictPolicyLeavesTheImagesGroupsOut() throws IOException {
    given.security(
        security ->
            security
                .setRunAsUser(id(1000))
                .setRunAsGroup(id(2000))
                .addSupplementalGroups(60000)
                .setSupplementalGroupsPolicy(SupplementalGroupsPolicy.Strict));
    assertThat(user()).isEqualTo(new SpecUser(1000, 2000, List.of(2000L, 60000L)));
  }

  @Test
  void mergePolicyJoinsBoth() throws IOException {
    given.security(security -> security.setRunAsUser(id(1000)).addSupplementalGroups(60000));
    assertThat(user()).isEqualTo(new SpecUser(1000, 1001, List.of(29L, 1001L, 60000L)));
  }

  @Test
  void refusesAGroupWithoutAUser() {
    given.security(security -> security.setRunAsGroup(id(5)));
    assertThatThrownBy(this::user)
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("run_as_group");
  }

  @Test
  void refusesWhomTheImageDoesNotKnow() {
    given.image("nobody-here", List.of("/entry"), List.of());
    assertThatThrownBy(this::user)
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("nobody-here");
    given.image("app:nothing", List.of("/entry"), List.of());
    assertThatThrownBy(this::user)
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("nothing");
  }

  @Test
  void refusesIdsOutOfRange() {
    given.image("4294967296", List.of("/entry"), List.of());
    assertThatThrownBy(this::user).isInstanceOf(InvalidRequestException.class);
    given.security(security -> security.setRunAsUser(id(-1)));
    assertThatThrownBy(this::user).isInstanceOf(InvalidRequestException.class);
  }

  @Test
  void aNumberNeedsNoAccountFiles() throws IOException {
    Files.delete(given.rootfs().resolve("etc/passwd"));
    Files.delete(given.rootfs().resolve("etc/group"));
    given.security(security -> security.setRunAsUser(id(1000)));
    assertThat(user()).isEqualTo(new SpecUser(1000, 0, List.of(0L)));
  }

  @Test
  void aPasswdThatLinksOutOfTheRootIsNotFollowed() throws IOException {
    Path outside = root.resolve("outside");
    Files.writeString(outside, "app:x:666:666::/:/bin/sh\n");
    Path passwd = given.rootfs().resolve("etc/passwd");
    Files.delete(passwd);
    Files.createSymbolicLink(passwd, outside);
    given.image("app", List.of("/entry"), List.of());
    assertThatThrownBy(this::user).isInstanceOf(InvalidRequestException.class);
  }

  @Test
  void aHugePasswdIsRefused() throws IOException {
    given.file("etc/passwd", "x".repeat(5 << 20));
    assertThatThrownBy(this::user).isInstanceOf(IOException.class);
  }

  private SpecUser user() throws IOException {
    return given.prepared(isolator).user();
  }

  private static Int64Value id(long value) {
    return Int64Value.newBuilder().setValue(value).build();
  }
}
