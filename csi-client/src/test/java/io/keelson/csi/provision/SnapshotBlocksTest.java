package io.keelson.csi.provision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.keelson.csi.driver.CallMetrics;
import io.keelson.csi.driver.CallPolicy;
import io.keelson.csi.driver.DriverRegistry;
import io.keelson.csi.driver.Endpoint;
import io.keelson.csi.driver.TlsFiles;
import io.keelson.csi.kind.SecretFolders;
import io.keelson.proto.csi.v1.BlockMetadata;
import io.keelson.proto.csi.v1.GetMetadataAllocatedRequest;
import io.keelson.proto.csi.v1.GetMetadataAllocatedResponse;
import io.keelson.proto.csi.v1.GetMetadataDeltaRequest;
import io.keelson.proto.csi.v1.GetMetadataDeltaResponse;
import io.keelson.proto.csi.v1.GetPluginCapabilitiesRequest;
import io.keelson.proto.csi.v1.GetPluginCapabilitiesResponse;
import io.keelson.proto.csi.v1.GetPluginInfoRequest;
import io.keelson.proto.csi.v1.GetPluginInfoResponse;
import io.keelson.proto.csi.v1.IdentityGrpc;
import io.keelson.proto.csi.v1.PluginCapability;
import io.keelson.proto.csi.v1.SnapshotMetadataGrpc;
import io.keelson.proto.node.v1.SnapshotBlocksRequest;
import io.keelson.proto.node.v1.SnapshotBlocksResponse;
import io.keelson.sandbox.error.UnsupportedException;
import io.keelson.sandbox.rpc.UnixChannels;
import io.keelson.sandbox.rpc.UnixServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With a driver that breaks off after the first half of its answer. */
class SnapshotBlocksTest {

  private static final String NAME = "breaks.csi.test";
  private static final SnapshotBlocksRequest REQUEST =
      SnapshotBlocksRequest.newBuilder().setDriver(NAME).setSnapshotId("s").build();

  @TempDir Path folder;

  private final UnixChannels channels = new UnixChannels();
  private final List<Long> asked = new ArrayList<>();
  private final List<Map<String, String>> secrets = new ArrayList<>();
  private final List<BlockMetadata> told = new ArrayList<>();
  private boolean able = true;
  private UnixServer server;
  private DriverRegistry drivers;
  private SnapshotBlocks blocks;

  @BeforeEach
  void start() throws IOException {
    Path socket = folder.resolve("csi.sock");
    server = UnixServer.start(socket, List.of(new Identity(), new Metadata()));
    drivers =
        new DriverRegistry(
            channels,
            TlsFiles.NONE,
            List.of(new Endpoint.UnixSocket(socket)),
            Optional.empty(),
            CallPolicy.DEFAULT,
            CallMetrics.NONE,
            Duration.ofHours(1));
    drivers.start();
    blocks =
        new SnapshotBlocks(
            drivers, new SecretFolders(Optional.of(folder.resolve("secrets"))), CallPolicy.DEFAULT);
  }

  @AfterEach
  void end() throws IOException {
    drivers.close();
    server.close();
    channels.close();
  }

  @Test
  void theSecondTryAsksForWhatIsLeft() throws IOException {
    blocks.list(REQUEST, this::take);
    assertThat(told).containsExactly(block(0), block(10));
    assertThat(asked).containsExactly(0L, 10L);
  }

  @Test
  void theSameForWhatHasChanged() throws IOException {
    blocks.list(
        REQUEST.toBuilder().setBaseSnapshotId("b").setStartingOffset(3).build(), this::take);
    assertThat(told).containsExactly(block(0), block(10));
    assertThat(asked).containsExactly(3L, 10L);
  }

  @Test
  void theSecretGoesWithEachCall() throws IOException {
    Path vault = Files.createDirectories(folder.resolve("secrets/vault"));
    Files.writeString(vault.resolve("password"), "word");
    SnapshotBlocksRequest request = REQUEST.toBuilder().setSecret("vault").build();
    blocks.list(request, this::take);
    blocks.list(request.toBuilder().setBaseSnapshotId("b").build(), this::take);
    assertThat(secrets).hasSize(3).containsOnly(Map.of("password", "word"));
  }

  @Test
  void aDriverThatCannotIsNotAsked() {
    able = false;
    assertThatThrownBy(() -> blocks.list(REQUEST, this::take))
        .isInstanceOf(UnsupportedException.class);
    assertThat(asked).isEmpty();
  }

  private void take(SnapshotBlocksResponse some) {
    assertThat(some.getCapacityBytes()).isEqualTo(20);
    told.addAll(some.getBlocksList());
  }

  private static BlockMetadata block(long offset) {
    return BlockMetadata.newBuilder().setByteOffset(offset).setSizeBytes(10).build();
  }

  private final class Metadata extends SnapshotMetadataGrpc.SnapshotMetadataImplBase {
    @Override
    public void getMetadataAllocated(
        GetMetadataAllocatedRequest request, StreamObserver<GetMetadataAllocatedResponse> answers) {
      boolean first = asked.isEmpty();
      asked.add(request.getStartingOffset());
      secrets.add(request.getSecretsMap());
      answers.onNext(
          GetMetadataAllocatedResponse.newBuilder()
              .setVolumeCapacityBytes(20)
              .addBlockMetadata(block(first ? 0 : 10))
              .build());
      end(answers, first);
    }

    @Override
    public void getMetadataDelta(
        GetMetadataDeltaRequest request, StreamObserver<GetMetadataDeltaResponse> answers) {
      boolean first = asked.isEmpty();
      asked.add(request.getStartingOffset());
      secrets.add(request.getSecretsMap());
      answers.onNext(
          GetMetadataDeltaResponse.newBuilder()
              .setVolumeCapacityBytes(20)
              .addBlockMetadata(block(first ? 0 : 10))
              .build());
      end(answers, first);
    }

    private void end(StreamObserver<?> answers, boolean breaksOff) {
      if (breaksOff) {
        answers.onError(Status.ABORTED.asRuntimeException());
      } else {
        answers.onCompleted();
      }
    }
  }

  private final class Identity extends IdentityGrpc.IdentityImplBase {
    @Override
    public void getPluginInfo(
        GetPluginInfoRequest request, StreamObserver<GetPluginInfoResponse> answers) {
      answers.onNext(GetPluginInfoResponse.newBuilder().setName(NAME).build());
      answers.onCompleted();
    }

    @Override
    public void getPluginCapabilities(
        GetPluginCapabilitiesRequest request,
        StreamObserver<GetPluginCapabilitiesResponse> answers) {
      GetPluginCapabilitiesResponse.Builder answer = GetPluginCapabilitiesResponse.newBuilder();
      if (able) {
        answer.addCapabilities(
            PluginCapability.newBuilder()
                .setService(
                    PluginCapability.Service.newBuilder()
                        .setType(PluginCapability.Service.Type.SNAPSHOT_METADATA_SERVICE)));
      }
      answers.onNext(answer.build());
      answers.onCompleted();
    }
  }
}
