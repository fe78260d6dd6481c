package io.keelson.csi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Status;
import io.keelson.csi.driver.Operation;
import io.keelson.proto.csi.v1.ControllerServiceCapability;
import io.keelson.proto.csi.v1.NodePublishVolumeRequest;
import io.keelson.proto.csi.v1.NodeServiceCapability;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.UnsupportedException;
import java.io.IOException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a driver says that it can do, whether it is true or not. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class CapabilitiesTest {

  private static final Misdeed UNIMPLEMENTED = Misdeed.refuses(Status.UNIMPLEMENTED);

  @RegisterExtension final NodeUnderTest node = new NodeUnderTest();

  @BeforeEach
  void makeVolume() throws IOException {
    node.create("v");
  }

  private void replaceDriver() throws IOException {
    node.driver().close();
    node.driver().start();
  }

  @Test
  void oneThatSaysThatItStagesAndDoesNotLeavesNothing() throws Exception {
    node.driver().next("NodeStageVolume", UNIMPLEMENTED);
    node.driver().next("NodeUnstageVolume", UNIMPLEMENTED);
    assertThatThrownBy(() -> node.publish("p", "v"))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("NodeStageVolume");
    nothingIsThere();

    node.driver().storage.node.remove(NodeServiceCapability.RPC.Type.STAGE_UNSTAGE_VOLUME);
    replaceDriver();
    node.driver().forgetCalls();
    node.publish("p", "v");
    assertThat(node.driver().calls("NodeStageVolume")).isZero();
    assertThat(
            node.driver()
                .requests(NodePublishVolumeRequest.class)
                .getFirst()
                .getStagingTargetPath())
        .isEmpty();
  }

  @Test
  void oneThatSaysThatItAttachesAndDoesNotLeavesNothing() throws Exception {
    node.driver().next("ControllerPublishVolume", UNIMPLEMENTED);
    node.driver().next("ControllerUnpublishVolume", UNIMPLEMENTED);
    assertThatThrownBy(() -> node.publish("p", "v"))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("ControllerPublishVolume");
    nothingIsThere();
  }

  @Test
  void oneThatDoesNotSayThatItMustStageTellsWhatItMisses() throws Exception {
    node.driver().storage.node.clear();
    node.driver().storage.controller.clear();
    replaceDriver();
    node.driver().next("NodePublishVolume", Misdeed.refuses(Status.FAILED_PRECONDITION));
    assertThatThrownBy(() -> node.publish("p", "v"))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("NodePublishVolume")
        .hasMessageContaining("on command");
    assertThat(node.driver().calls("NodeStageVolume")).isZero();
    assertThat(node.driver().calls("ControllerPublishVolume")).isZero();
    nothingIsThere();
  }

  @Test
  void oneThatDoesNotSayThatItCanIsNotAsked() throws IOException {
    node.driver().storage.controller.clear();
    node.driver().storage.node.remove(NodeServiceCapability.RPC.Type.EXPAND_VOLUME);
    replaceDriver();
    node.driver().forgetCalls();
    assertThatThrownBy(() -> node.create("w"))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("CREATE_DELETE_VOLUME");
    assertThatThrownBy(() -> node.volumes().provisioning().expand("v", 1, Operation.Listener.NONE))
        .isInstanceOf(UnsupportedException.class);
    assertThat(node.driver().methods()).isEmpty();
    assertThat(node.volumes().volumes().list()).hasSize(1);
  }

  @Test
  void oneIsAskedOnceAndAgainWhenItHasBeenAway() throws IOException {
    node.publish("p", "v");
    node.unpublish("p");
    assertThat(node.driver().calls("NodeGetCapabilities")).isOne();
    assertThat(node.driver().calls("ControllerGetCapabilities")).isOne();
    assertThat(node.driver().calls("GetPluginCapabilities")).isOne();

    node.driver()
        .storage
        .controller
        .remove(ControllerServiceCapability.RPC.Type.PUBLISH_UNPUBLISH_VOLUME);
    replaceDriver(); // between two calls, so that none of them fails
    node.driver().forgetCalls();
    node.publish("p", "v");
    assertThat(node.driver().calls("ControllerGetCapabilities")).isOne();
    assertThat(node.driver().methods()).containsExactly("NodeStageVolume", "NodePublishVolume");
  }

  /** At once, or a moment later in the background. */
  private void nothingIsThere() throws Exception {
    NodeUnderTest.await("idle", () -> node.status("v").getState().equals("idle"));
    assertThat(node.mounts()).isEmpty();
    assertThat(node.driver().storage.attached).isEmpty();
    NodeUnderTest.await("forgotten", () -> node.status("v").getPublicationsCount() == 0);
  }
}
