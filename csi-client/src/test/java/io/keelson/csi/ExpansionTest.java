package io.keelson.csi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Status;
import io.keelson.csi.driver.Operation;
import io.keelson.proto.csi.v1.ControllerModifyVolumeRequest;
import io.keelson.proto.csi.v1.ControllerServiceCapability;
import io.keelson.proto.csi.v1.NodeExpandVolumeRequest;
import io.keelson.proto.node.v1.ModifyVolumeRequest;
import io.keelson.proto.node.v1.Publication;
import io.keelson.proto.node.v1.VolumeStatus;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.error.UnsupportedException;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A volume that is made larger, or changed, gets there whatever happens on the way. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ExpansionTest {

  private static final long SIZE = 4 * NodeUnderTest.MIB;
  private static final String ID = "id-of-keelson-v";

  @RegisterExtension final NodeUnderTest node = new NodeUnderTest();

  @BeforeEach
  void makeVolume() throws IOException {
    node.create("v");
  }

  private VolumeStatus expand() throws IOException {
    return node.volumes().provisioning().expand("v", SIZE, Operation.Listener.NONE);
  }

  private VolumeStatus modify(String value) throws IOException {
    ModifyVolumeRequest request =
        ModifyVolumeRequest.newBuilder()
            .setName("v")
            .putChangeableParameters("tier", value)
            .build();
    return node.volumes().provisioning().modify(request, Operation.Listener.NONE);
  }

  @Test
  void theNodesPartIsDoneWhereTheVolumeIsPublished() throws IOException {
    Publication publication = node.publish("p", "v");
    assertThat(expand().getCapacityBytes()).isEqualTo(SIZE);

    NodeExpandVolumeRequest request =
        node.driver().requests(NodeExpandVolumeRequest.class).getFirst();
    assertThat(request.getVolumePath()).isEqualTo(publication.getPath());
    assertThat(request.getStagingTargetPath()).isNotEmpty();
    assertThat(request.getCapacityRange().getRequiredBytes()).isEqualTo(SIZE);
  }

  @Test
  void theNodesPartOfAVolumeThatIsNotPublishedIsDoneWhenItIsTheNextTime() throws IOException {
    assertThat(expand().getCapacityBytes()).isEqualTo(SIZE);
    node.restart();
    assertThat(node.driver().calls("NodeExpandVolume")).isZero();

    node.publish("p", "v");
    assertThat(node.driver().storage.fileSystems).containsEntry(ID, SIZE);
    node.unpublish("p");
    node.publish("p", "v");
    assertThat(node.driver().calls("NodeExpandVolume")).as("once").isOne();
  }

  @Test
  void aReaderLeavesTheNodesPartToAWriter() throws IOException {
    expand();
    node.publish("r", NodeUnderTest.named("v").toBuilder().setReadOnly(true).build());
    assertThat(node.driver().calls("NodeExpandVolume")).isZero();
    node.unpublish("r");

    node.publish("w", "v");
    assertThat(node.driver().storage.fileSystems).containsEntry(ID, SIZE);
  }

  @Test
  void aNodesPartThatFailsIsDueStill() throws IOException {
    expand();
    node.driver().next("NodeExpandVolume", Misdeed.refuses(Status.INTERNAL));
    assertThatThrownBy(() -> node.publish("p", "v"))
        .isInstanceOf(OperationFailedException.class)
        .hasMessageContaining("NodeExpandVolume");
    assertThat(node.mounts()).isEmpty();

    node.publish("p", "v");
    assertThat(node.driver().storage.fileSystems).containsEntry(ID, SIZE);
  }

  @Test
  void aDriverWithoutAControllersPartExpandsOnTheNode() throws IOException {
    node.driver().storage.controller.remove(ControllerServiceCapability.RPC.Type.EXPAND_VOLUME);
    node.restart(); // it may have asked already what the driver can
    expand();
    node.publish("p", "v");
    assertThat(node.driver().calls("ControllerExpandVolume")).isZero();
    assertThat(node.driver().storage.fileSystems).containsEntry(ID, SIZE);
    assertThat(node.status("v").getCapacityBytes()).isEqualTo(SIZE);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ExpandVolume:recorded",
        "ExpandVolume:expanded",
        "ExpandVolume:expand-recorded",
        "ExpandVolume:expanded-on-node",
        "ExpandVolume:node-recorded"
      })
  void theNextLifeEndsAnExpansion(String step) throws Exception {
    node.publish("p", "v");
    node.dieAt(step);
    assertThatThrownBy(this::expand).isInstanceOf(NodeUnderTest.Killed.class);
    node.restart();

    NodeUnderTest.await(
        "expanded on the node",
        () -> node.driver().storage.fileSystems.getOrDefault(ID, 0L) == SIZE);
    NodeUnderTest.await("told", () -> node.status("v").getCapacityBytes() == SIZE);
    assertThat(node.driver().storage.volumes).containsEntry(ID, SIZE);
    nothingIsLeftToBeDone();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"ModifyVolume:recorded", "ModifyVolume:modified", "ModifyVolume:modify-recorded"})
  void theNextLifeEndsAModification(String step) throws Exception {
    node.dieAt(step);
    assertThatThrownBy(() -> modify("fast")).isInstanceOf(NodeUnderTest.Killed.class);
    node.restart();

    NodeUnderTest.await("asked", () -> node.driver().calls("ControllerModifyVolume") > 0);
    assertThat(node.driver().requests(ControllerModifyVolumeRequest.class))
        .allSatisfy(
            request -> assertThat(request.getMutableParametersMap()).containsEntry("tier", "fast"));
    modify("slow"); // comes after what was under way
    nothingIsLeftToBeDone();
  }

  @Test
  void aModificationWithoutAnOutcomeIsBroughtToOneBeforeTheNext() throws IOException {
    node.driver().next("ControllerModifyVolume", Misdeed.FAILS_AFTER_WORK);
    assertThatThrownBy(() -> modify("fast")).isInstanceOf(OperationFailedException.class);
    modify("slow");
    List<String> asked =
        node.driver().requests(ControllerModifyVolumeRequest.class).stream()
            .map(each -> each.getMutableParametersOrThrow("tier"))
            .toList();
    assertThat(asked).startsWith("fast", "fast").endsWith("slow");
    assertThat(asked.stream().filter("slow"::equals)).hasSize(1);
  }

  @Test
  void whatIsRefusedIsNotRemembered() throws IOException {
    node.driver().next("ControllerExpandVolume", Misdeed.refuses(Status.OUT_OF_RANGE));
    assertThatThrownBy(this::expand).isInstanceOf(InvalidRequestException.class);
    node.driver().next("ControllerModifyVolume", Misdeed.refuses(Status.INVALID_ARGUMENT));
    assertThatThrownBy(() -> modify("fast")).isInstanceOf(InvalidRequestException.class);
    node.driver().next("ControllerExpandVolume", Misdeed.refuses(Status.UNIMPLEMENTED));
    assertThatThrownBy(this::expand).isInstanceOf(UnsupportedException.class);
    nothingIsLeftToBeDone();
    assertThat(node.status("v").getTrouble()).isEmpty();
  }

  /** Whoever asks for more than can be had is not held to it. */
  @Test
  void anExpansionWithoutAnOutcomeIsReplacedByTheNext() throws Exception {
    node.driver().next("ControllerExpandVolume", Misdeed.refuses(Status.INTERNAL));
    assertThatThrownBy(
            () ->
                node.volumes().provisioning().expand("v", Long.MAX_VALUE, Operation.Listener.NONE))
        .isInstanceOf(OperationFailedException.class);
    expand();
    assertThat(node.status("v").getTrouble()).isEmpty();
  }

  /** The next life makes no call. */
  private void nothingIsLeftToBeDone() throws IOException {
    node.restart();
    node.driver().forgetCalls();
    node.restart();
    assertThat(node.driver().methods()).isEmpty();
  }
}
