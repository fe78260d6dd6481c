package io.keelson.csi.provision;

import io.keelson.csi.driver.CallPolicy;
import io.keelson.csi.driver.Driver;
import io.keelson.csi.driver.DriverRegistry;
import io.keelson.csi.driver.Operation;
import io.keelson.csi.kind.SecretFolders;
import io.keelson.proto.csi.v1.BlockMetadata;
import io.keelson.proto.csi.v1.GetMetadataAllocatedRequest;
import io.keelson.proto.csi.v1.GetMetadataDeltaRequest;
import io.keelson.proto.csi.v1.PluginCapability;
import io.keelson.proto.csi.v1.SnapshotMetadataGrpc.SnapshotMetadataBlockingStub;
import io.keelson.proto.node.v1.SnapshotBlocksRequest;
import io.keelson.proto.node.v1.SnapshotBlocksResponse;
import io.keelson.sandbox.error.UnsupportedException;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Which blocks of snapshots hold data, or have changed. Safe for use by many threads. */
public final class SnapshotBlocks {

  private final DriverRegistry drivers;
  private final SecretFolders secrets;
  private final CallPolicy policy;

  public SnapshotBlocks(DriverRegistry drivers, SecretFolders secrets, CallPolicy policy) {
    this.drivers = drivers;
    this.secrets = secrets;
    this.policy = policy;
  }

  /**
   * Asks the driver; if it breaks off, it is asked for what is left.
   *
   * @param listener is told of blocks as they come, in the order of their offsets
   */
  public void list(SnapshotBlocksRequest request, Consumer<SnapshotBlocksResponse> listener)
      throws IOException {
    Operation operation = Operation.of(policy.operationTimeout(), Operation.Listener.NONE);
    Driver driver = drivers.get(request.getDriver(), operation);
    if (!driver.info(operation).can(PluginCapability.Service.Type.SNAPSHOT_METADATA_SERVICE)) {
      throw new UnsupportedException(
          "CSI driver " + driver.name() + " does not tell of the blocks of snapshots");
    }
    Listing listing = new Listing(request, secrets.text(request.getSecret()), listener);
    boolean delta = !request.getBaseSnapshotId().isEmpty();
    driver.snapshotMetadata(
        delta ? "GetMetadataDelta" : "GetMetadataAllocated",
        request.getSnapshotId(),
        operation,
        stub -> delta ? listing.delta(stub) : listing.allocated(stub));
  }

  /** One listing, over all tries. */
  private static final class Listing {

    private final SnapshotBlocksRequest request;
    private final Map<String, String> secret;
    private final Consumer<SnapshotBlocksResponse> listener;
    private long next;

    Listing(
        SnapshotBlocksRequest request,
        Map<String, String> secret,
        Consumer<SnapshotBlocksResponse> listener) {
      this.request = request;
      this.secret = secret;
      this.listener = listener;
      this.next = request.getStartingOffset();
    }

    boolean allocated(SnapshotMetadataBlockingStub stub) {
      stub.getMetadataAllocated(
              GetMetadataAllocatedRequest.newBuilder()
                  .setSnapshotId(request.getSnapshotId())
                  .setStartingOffset(next)
                  .putAllSecrets(secret)
                  .build())
          .forEachRemaining(
              some -> take(some.getVolumeCapacityBytes(), some.getBlockMetadataList()));
      return true;
    }

    boolean delta(SnapshotMetadataBlockingStub stub) {
      stub.getMetadataDelta(
              GetMetadataDeltaRequest.newBuilder()
                  .setBaseSnapshotId(request.getBaseSnapshotId())
                  .setTargetSnapshotId(request.getSnapshotId())
                  .setStartingOffset(next)
                  .putAllSecrets(secret)
                  .build())
          .forEachRemaining(
              some -> take(some.getVolumeCapacityBytes(), some.getBlockMetadataList()));
      return true;
    }

    private void take(long capacity, List<BlockMetadata> blocks) {
      if (blocks.isEmpty()) {
        return;
      }
      listener.accept(
          SnapshotBlocksResponse.newBuilder()
              .setCapacityBytes(capacity)
              .addAllBlocks(blocks)
              .build());
      next = blocks.getLast().getByteOffset() + blocks.getLast().getSizeBytes();
    }
  }
}
