package io.keelson.csi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.csi.driver.Operation;
import io.keelson.proto.node.v1.DeleteSnapshotRequest;
import io.keelson.proto.node.v1.ModifyVolumeRequest;
import io.keelson.proto.node.v1.SnapshotVolumeRequest;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.OperationFailedException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A driver misbehaves in one call of a volume's life. The volume is published once all the same,
 * and in the end nothing is left anywhere.
 */
@Execution(ExecutionMode.CONCURRENT)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class UncertainOutcomesTest {

  private static final List<String> METHODS =
      List.of(
          "CreateVolume",
          "ControllerPublishVolume",
          "NodeStageVolume",
          "NodePublishVolume",
          "ControllerExpandVolume",
          "NodeExpandVolume",
          "ControllerModifyVolume",
          "CreateSnapshot",
          "DeleteSnapshot",
          "NodeUnpublishVolume",
          "NodeUnstageVolume",
          "ControllerUnpublishVolume",
          "DeleteVolume");

  private static final Map<String, Misdeed> MISDEEDS =
      Map.of(
          "hangs", Misdeed.HANGS,
          "falls silent", Misdeed.FALLS_SILENT,
          "dies after its work", Misdeed.DIES_AFTER_WORK,
          "fails after its work", Misdeed.FAILS_AFTER_WORK,
          "is busy", Misdeed.ABORTS);

  @RegisterExtension final NodeUnderTest node = new NodeUnderTest(Duration.ofMillis(700));

  static Stream<Arguments> allOfAll() {
    return METHODS.stream()
        .flatMap(method -> MISDEEDS.keySet().stream().map(each -> Arguments.of(method, each)));
  }

  private interface Step {
    void run() throws IOException;
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("allOfAll")
  void aLifeGetsToItsEnd(String method, String what) throws Exception {
    node.driver().next(method, MISDEEDS.getOrDefault(what, Misdeed.ABORTS));
    Operation.Listener nobody = Operation.Listener.NONE;

    persist(() -> node.create("v"));
    persist(() -> node.publish("p", "v"));
    assertThat(node.mounts()).as("staged once, published once").hasSize(2);
    persist(() -> node.volumes().provisioning().expand("v", 2 * NodeUnderTest.MIB, nobody));
    assertThat(node.driver().storage.fileSystems).containsValue(2 * NodeUnderTest.MIB);
    persist(
        () ->
            node.volumes()
                .provisioning()
                .modify(ModifyVolumeRequest.newBuilder().setName("v").build(), nobody));
    persist(
        () ->
            node.volumes()
                .snapshots()
                .create(
                    SnapshotVolumeRequest.newBuilder().setVolume("v").setName("s").build(),
                    nobody));
    assertThat(node.driver().storage.snapshots).hasSize(1);
    String snapshot = node.driver().storage.snapshots.keySet().iterator().next();
    persist(
        () ->
            node.volumes()
                .snapshots()
                .delete(
                    DeleteSnapshotRequest.newBuilder()
                        .setDriver(TestDriver.NAME)
                        .setSnapshotId(snapshot)
                        .build(),
                    nobody));
    persist(() -> node.unpublish("p"));
    assertThat(node.mounts()).isEmpty();
    assertThat(node.driver().storage.attached).isEmpty();
    persist(() -> node.delete("v"));

    assertThat(node.volumes().volumes().list()).isEmpty();
    assertThat(node.driver().storage.volumes).isEmpty();
    assertThat(node.driver().storage.snapshots).isEmpty();
    assertThat(node.driver().calls(method)).as("asked again").isGreaterThan(1);
  }

  /** The driver comes back; a failure that is no refusal is tried once more by the caller. */
  private void persist(Step step) throws Exception {
    Thread keeper =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    while (true) {
                      Thread.sleep(50);
                      node.driver().startIfGone();
                    }
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  } catch (IOException e) {
                    throw new IllegalStateException(e);
                  }
                });
    try {
      step.run();
    } catch (OperationFailedException e) {
      assertThat(e).hasMessageContaining("on command");
      step.run();
    } finally {
      keeper.interrupt();
      keeper.join();
    }
  }

  /** Without a call of anybody. */
  @ParameterizedTest
  @ValueSource(strings = {"CreateVolume", "DeleteVolume"})
  void whatHasNoOutcomeIsBroughtToOneInTheBackground(String method) throws Exception {
    if (method.equals("DeleteVolume")) {
      node.create("v");
    }
    node.driver().next(method, Misdeed.FAILS_AFTER_WORK);
    assertThatThrownBy(() -> createOrDelete(method)).isInstanceOf(OperationFailedException.class);
    NodeUnderTest.await("asked again", () -> node.driver().calls(method) >= 2);
    if (method.equals("DeleteVolume")) {
      NodeUnderTest.await("gone", () -> node.volumes().volumes().list().isEmpty());
    } else {
      NodeUnderTest.await("there", () -> node.status("v").getState().equals("idle"));
      assertThat(node.status("v").getTrouble()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "CreateVolume:recorded",
        "CreateVolume:created",
        "DeleteVolume:recorded",
        "DeleteVolume:deleted"
      })
  void whatALifeHasBegunTheNextOneEnds(String step) throws Exception {
    String method = step.substring(0, step.indexOf(':'));
    if (method.equals("DeleteVolume")) {
      node.create("v");
    }
    node.dieAt(step);
    assertThatThrownBy(() -> createOrDelete(method)).isInstanceOf(NodeUnderTest.Killed.class);
    node.restart();
    if (method.equals("DeleteVolume")) {
      NodeUnderTest.await("gone", () -> node.volumes().volumes().list().isEmpty());
      assertThat(node.driver().storage.volumes).isEmpty();
    } else {
      NodeUnderTest.await("there", () -> node.status("v").getState().equals("idle"));
      assertThat(node.driver().storage.volumes).hasSize(1);
    }
  }

  private void createOrDelete(String method) throws IOException {
    if (method.equals("DeleteVolume")) {
      node.delete("v");
    } else {
      node.create("v");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"NodeUnpublishVolume", "NodeUnstageVolume"})
  void oneThatForgetsOrLiesIsNotBelievedWhereTheVolumeIsMounted(String method) throws IOException {
    node.create("v");
    node.publish("p", "v");
    for (Misdeed misdeed : List.of(Misdeed.FORGETS, Misdeed.LIES)) {
      node.driver().next(method, misdeed);
      assertThatThrownBy(() -> node.unpublish("p"))
          .isInstanceOf(FailedPreconditionException.class)
          .hasMessageContaining("still");
      assertThat(node.mounts()).isNotEmpty();
      assertThat(node.status("v").getPublicationsList()).hasSize(1);
    }
    node.unpublish("p");
    assertThat(node.mounts()).isEmpty();
  }

  @Test
  void whatIsForgottenWhereNothingIsLeftIsGone() throws IOException {
    node.create("v");
    node.publish("p", "v");
    node.driver().next("ControllerUnpublishVolume", Misdeed.FORGETS);
    node.driver().next("DeleteVolume", Misdeed.FORGETS);
    node.unpublish("p");
    node.delete("v");
    assertThat(node.volumes().volumes().list()).isEmpty();
  }
}
