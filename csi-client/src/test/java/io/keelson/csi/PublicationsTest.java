package io.keelson.csi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Status;
import io.keelson.csi.driver.Operation;
import io.keelson.csi.volume.PublicationRequest;
import io.keelson.proto.csi.v1.CapacityRange;
import io.keelson.proto.csi.v1.ControllerPublishVolumeRequest;
import io.keelson.proto.csi.v1.NodeGetVolumeStatsRequest;
import io.keelson.proto.csi.v1.NodePublishVolumeRequest;
import io.keelson.proto.csi.v1.NodeServiceCapability;
import io.keelson.proto.csi.v1.NodeStageVolumeRequest;
import io.keelson.proto.csi.v1.NodeUnpublishVolumeRequest;
import io.keelson.proto.csi.v1.VolumeCapability.AccessMode.Mode;
import io.keelson.proto.node.v1.Publication;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.sandbox.error.AlreadyExistsException;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.ResourceExhaustedException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who may have a volume, how, and as what its driver is told. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PublicationsTest {

  @RegisterExtension final NodeUnderTest node = new NodeUnderTest();

  private Publication publishForPod(String pod) throws IOException {
    return node.volumes()
        .volumes()
        .publish(
            new PublicationRequest(
                pod + ".v", pod, "v", pod, "default", "uid-" + pod, "", NodeUnderTest.named("v")),
            Operation.Listener.NONE);
  }

  @ParameterizedTest
  @EnumSource(
      value = Mode.class,
      names = {
        "UNKNOWN",
        "SINGLE_NODE_WRITER",
        "SINGLE_NODE_READER_ONLY",
        "SINGLE_NODE_SINGLE_WRITER"
      })
  void aVolumeForOneIsRefusedToTheSecondAndTheHolderNamed(Mode mode) throws IOException {
    node.create("v", mode);
    publishForPod("first");
    publishForPod("first"); // the same one again
    assertThatThrownBy(() -> publishForPod("second"))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("first.v of pod first");
    assertThat(node.driver().calls("NodePublishVolume")).isOne();
    node.unpublish("first.v");
    publishForPod("second");
  }

  /** It has no id but the one that its publication was given. */
  @Test
  void anEphemeralVolumeIsAskedAboutByTheIdThatItWasPublishedBy() throws IOException {
    node.driver().storage.node.remove(NodeServiceCapability.RPC.Type.STAGE_UNSTAGE_VOLUME);
    node.restart();
    VolumeSource ephemeral =
        VolumeSource.newBuilder().setCsi(NodeUnderTest.csi().setEphemeral(true)).build();
    node.publish("p", ephemeral);
    node.volumes().queries().stats("p");
    node.unpublish("p");

    TestDriver driver = node.driver();
    String id = driver.requests(NodePublishVolumeRequest.class).getFirst().getVolumeId();
    assertThat(id).isNotEmpty();
    assertThat(driver.requests(NodeGetVolumeStatsRequest.class))
        .singleElement()
        .returns(id, NodeGetVolumeStatsRequest::getVolumeId);
    assertThat(driver.requests(NodeUnpublishVolumeRequest.class))
        .singleElement()
        .returns(id, NodeUnpublishVolumeRequest::getVolumeId);
  }

  @Test
  void aDriverGetsNoMoreVolumesThanItCanHaveOnTheNode() throws IOException {
    node.driver().storage.mostOnNode = 2;
    node.restart();
    node.create("a", Mode.SINGLE_NODE_MULTI_WRITER);
    node.create("b");
    node.create("c");
    node.publish("a", "a");
    node.publish("b", "b");

    assertThatThrownBy(() -> node.publish("c", "c"))
        .isInstanceOf(ResourceExhaustedException.class)
        .hasMessageContaining("can have 2 volumes on this node");
    assertThat(node.driver().calls("ControllerPublishVolume")).isEqualTo(2);
    assertThat(node.status("c").getPublicationsList()).isEmpty();
    node.publish("again", "a"); // it is there already

    node.unpublish("b");
    node.publish("c", "c");
  }

  @Test
  void noneOfThoseThatComeAtOnceIsOneTooMany() throws Exception {
    node.driver().storage.mostOnNode = 3;
    node.restart();
    List<String> names = IntStream.range(0, 8).mapToObj(i -> "v" + i).toList();
    for (String name : names) {
      node.create(name);
    }
    node.driver().isSlow(20);
    List<Future<Publication>> all;
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      all = names.stream().map(name -> threads.submit(() -> node.publish(name, name))).toList();
    }
    assertThat(all).filteredOn(one -> one.state() == Future.State.SUCCESS).hasSize(3);
    assertThat(node.driver().storage.attached).hasSize(3);
  }

  @ParameterizedTest
  @EnumSource(
      value = Mode.class,
      names = {
        "SINGLE_NODE_MULTI_WRITER",
        "MULTI_NODE_READER_ONLY",
        "MULTI_NODE_SINGLE_WRITER",
        "MULTI_NODE_MULTI_WRITER"
      })
  void aVolumeOfManyGoesWithTheLastOfThem(Mode mode) throws IOException {
    node.create("v", mode);
    publishForPod("first");
    publishForPod("second");
    assertThat(node.mounts()).as("staged once, published twice").hasSize(3);
    assertThat(node.driver().calls("NodeStageVolume")).isOne();

    node.unpublish("first.v");
    assertThat(node.driver().calls("NodeUnstageVolume")).isZero();
    assertThat(node.driver().storage.attached).isNotEmpty();
    assertThat(node.mounts()).hasSize(2);
    node.restart(); // the count is in the records

    node.unpublish("second.v");
    assertThat(node.driver().calls("NodeUnstageVolume")).isOne();
    assertThat(node.driver().storage.attached).isEmpty();
    assertThat(node.mounts()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aDriverIsToldAModeThatItKnows(boolean knowsNewModes) throws IOException {
    if (!knowsNewModes) {
      node.driver().storage.node.remove(NodeServiceCapability.RPC.Type.SINGLE_NODE_MULTI_WRITER);
      node.restart(); // it may have asked already what the driver can
    }
    node.create("v", Mode.SINGLE_NODE_MULTI_WRITER);
    publishForPod("first");
    publishForPod("second");
    node.create("w", Mode.SINGLE_NODE_SINGLE_WRITER);
    node.publish("w", "w");

    assertThat(node.driver().requests(NodePublishVolumeRequest.class))
        .extracting(each -> each.getVolumeCapability().getAccessMode().getMode())
        .containsExactly(
            knowsNewModes
                ? new Mode[] {
                  Mode.SINGLE_NODE_MULTI_WRITER,
                  Mode.SINGLE_NODE_MULTI_WRITER,
                  Mode.SINGLE_NODE_SINGLE_WRITER
                }
                : new Mode[] {
                  Mode.SINGLE_NODE_WRITER, Mode.SINGLE_NODE_WRITER, Mode.SINGLE_NODE_WRITER
                });
    assertThatThrownBy(() -> node.publish("x", "w"))
        .as("the daemon holds to the mode by itself")
        .isInstanceOf(FailedPreconditionException.class);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatIsForReadingCanNotBeWritten(boolean readOnlyIsIgnored) throws IOException {
    node.driver().storage.readOnlyIsIgnored = readOnlyIsIgnored;
    node.create("v", Mode.SINGLE_NODE_MULTI_WRITER);
    node.create("readers", Mode.MULTI_NODE_READER_ONLY);
    VolumeSource forReading = NodeUnderTest.named("v").toBuilder().setReadOnly(true).build();
    assertNobodyWrites(node.publish("r", forReading));
    assertNobodyWrites(node.publish("m", "readers"));
    assertThat(node.driver().requests(NodePublishVolumeRequest.class))
        .allMatch(NodePublishVolumeRequest::getReadonly);

    Publication forWriting = node.publish("w", "v");
    assertThat(forWriting.getReadOnly()).isFalse();
    Files.createFile(Path.of(forWriting.getPath(), "file"));
  }

  private static void assertNobodyWrites(Publication publication) {
    assertThat(publication.getReadOnly()).isTrue();
    assertThatThrownBy(() -> Files.createFile(Path.of(publication.getPath(), "file")))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContaining("Read-only file system");
  }

  @Test
  void whatTheControllerToldReachesTheNode() throws IOException {
    node.create("v");
    node.publish("p", "v");

    ControllerPublishVolumeRequest attach =
        node.driver().requests(ControllerPublishVolumeRequest.class).getFirst();
    NodeStageVolumeRequest stage = node.driver().requests(NodeStageVolumeRequest.class).getFirst();
    NodePublishVolumeRequest publish =
        node.driver().requests(NodePublishVolumeRequest.class).getFirst();
    assertThat(attach.getNodeId()).isEqualTo(TestStorage.NODE_ID);
    assertThat(attach.getVolumeContextMap()).isEqualTo(TestStorage.VOLUME_CONTEXT);
    assertThat(stage.getVolumeContextMap()).isEqualTo(TestStorage.VOLUME_CONTEXT);
    assertThat(publish.getVolumeContextMap()).isEqualTo(TestStorage.VOLUME_CONTEXT);
    assertThat(stage.getPublishContextMap()).isEqualTo(TestStorage.PUBLISH_CONTEXT);
    assertThat(publish.getPublishContextMap()).isEqualTo(TestStorage.PUBLISH_CONTEXT);
    assertThat(publish.getStagingTargetPath()).isEqualTo(stage.getStagingTargetPath());
  }

  /** Also for the second publication after a restart: the records have it. */
  @Test
  void theNextLifeKnowsWhatTheControllerTold() throws IOException {
    node.create("v", Mode.SINGLE_NODE_MULTI_WRITER);
    node.publish("p", "v");
    node.restart();
    node.driver().forgetCalls();
    node.publish("q", "v");
    assertThat(node.driver().methods()).containsExactly("NodePublishVolume");
    NodePublishVolumeRequest publish =
        node.driver().requests(NodePublishVolumeRequest.class).getFirst();
    assertThat(publish.getVolumeContextMap()).isEqualTo(TestStorage.VOLUME_CONTEXT);
    assertThat(publish.getPublishContextMap()).isEqualTo(TestStorage.PUBLISH_CONTEXT);
  }

  @Test
  void anotherWishUnderTheSameNameIsRefusedAndTheFirstOneStays() throws IOException {
    node.create("v");
    node.create("w");
    node.publish("p", "v");
    assertThatThrownBy(
            () ->
                node.create(
                    NodeUnderTest.request("v")
                        .setCapacity(CapacityRange.newBuilder().setRequiredBytes(1))
                        .build()))
        .isInstanceOf(AlreadyExistsException.class)
        .hasMessageContaining("\"v\"");
    assertThatThrownBy(() -> node.publish("p", "w"))
        .isInstanceOf(AlreadyExistsException.class)
        .hasMessageContaining("publication p");
    assertThatThrownBy(
            () -> node.publish("p", NodeUnderTest.named("v").toBuilder().setReadOnly(true).build()))
        .isInstanceOf(AlreadyExistsException.class)
        .hasMessageContaining("publication p");

    node.restart();
    assertThat(node.status("v").getPublicationsList())
        .singleElement()
        .satisfies(each -> assertThat(each.getState()).isEqualTo("published"));
    assertThat(node.mounts()).hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"NodeStageVolume", "NodePublishVolume", "ControllerPublishVolume"})
  void aDriverThatHasTheVolumeInAnotherWayIsToldOfInItsWords(String method) throws IOException {
    node.create("v");
    node.driver().next(method, Misdeed.refuses(Status.ALREADY_EXISTS));
    assertThatThrownBy(() -> node.publish("p", "v"))
        .isInstanceOf(AlreadyExistsException.class)
        .hasMessageContaining(method)
        .hasMessageContaining("on command");
    assertThat(node.mounts()).isEmpty();
    node.restart();
    assertThat(node.status("v").getState()).as("the volume's record").isEqualTo("idle");
    node.publish("p", "v");
  }

  @Test
  void aNameThatTheDriverHasInAnotherWayIsNoVolume() throws IOException {
    node.driver().next("CreateVolume", Misdeed.refuses(Status.ALREADY_EXISTS));
    assertThatThrownBy(() -> node.create("v"))
        .isInstanceOf(AlreadyExistsException.class)
        .hasMessageContaining("on command");
    assertThat(node.volumes().volumes().list()).isEmpty();
  }

  /** The try before may have made it: whoever is refused now can't know. */
  @Test
  void aVolumeThatMayBeThereIsNotForgottenForARefusal() throws Exception {
    node.driver().next("CreateVolume", Misdeed.FAILS_AFTER_WORK);
    node.driver().next("CreateVolume", many(Misdeed.refuses(Status.ALREADY_EXISTS)));
    assertThatThrownBy(() -> node.create("v")).hasMessageContaining("INTERNAL");
    node.restart();
    NodeUnderTest.await(
        "asked again and refused", () -> node.status("v").getTrouble().contains("ALREADY_EXISTS"));
    assertThat(node.status("v").getState()).isEqualTo("creating");
    node.driver().behave();
    assertThat(node.create("v").getState()).isEqualTo("idle");
  }

  /** For as often as it is asked in the background meanwhile. */
  private static Misdeed[] many(Misdeed misdeed) {
    Misdeed[] all = new Misdeed[30];
    java.util.Arrays.fill(all, misdeed);
    return all;
  }

  @Test
  void aVolumeThatItsDriverRefusesForGoodCanBeForgotten() throws Exception {
    node.driver().next("CreateVolume", Misdeed.FAILS_AFTER_WORK);
    assertThatThrownBy(() -> node.create("v")).hasMessageContaining("INTERNAL");
    node.driver().next("CreateVolume", many(Misdeed.refuses(Status.INVALID_ARGUMENT)));
    NodeUnderTest.await(
        "made in the background, or refused",
        () -> {
          try {
            node.delete("v");
            return true;
          } catch (IOException e) {
            return false;
          }
        });
    assertThat(node.volumes().volumes().list()).isEmpty();
  }

  /** Nothing was asked of anybody. */
  @Test
  void aVolumeOfADriverThatIsNotThereIsNoVolume() {
    assertThatThrownBy(
            () ->
                node.create(
                    NodeUnderTest.request("v")
                        .setVolume(NodeUnderTest.csi().setSecret("nowhere"))
                        .build()))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("nowhere");
    assertThat(node.volumes().volumes().list()).isEmpty();
  }
}
