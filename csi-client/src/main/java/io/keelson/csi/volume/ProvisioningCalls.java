package io.keelson.csi.volume;

import io.keelson.csi.driver.Operation;
import io.keelson.proto.node.v1.CreateVolumeRequest;
import io.keelson.proto.node.v1.ModifyVolumeRequest;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.proto.record.v1.VolumeRecord;
import java.io.IOException;
import java.util.Optional;

/**
 * What is asked of the driver of a volume that CreateVolume makes, besides publishing it. Calls for
 * one volume never overlap. Any call may come a second time, also after the daemon was killed in
 * the midst of the first, and then does what is left to do.
 *
 * <p>Failures are {@link io.keelson.sandbox.error.KeelsonException}s with the driver's words, or
 * IOExceptions.
 */
public interface ProvisioningCalls {

  /**
   * What a driver made.
   *
   * @param source how the volume is published from now on
   */
  record Made(VolumeSource source, long capacityBytes) {}

  /**
   * What a driver's controller did to make a volume larger.
   *
   * @param onNode the node's part is to follow
   */
  record Expanded(long capacityBytes, boolean onNode) {}

  /** A volume that the driver is about to be asked for. */
  @FunctionalInterface
  interface Creation {
    /** Answers the volume that the driver made, or had made before. */
    Made make() throws IOException;
  }

  /**
   * Gets ready to ask for a volume: fails if it is known without the controller that it can't be
   * had.
   *
   * @param original the volume that is cloned, if one is
   */
  Creation creation(
      CreateVolumeRequest request, Optional<VolumeRecord> original, Operation operation)
      throws IOException;

  /** Harmless if it is gone. */
  void delete(VolumeRecord volume, Operation operation) throws IOException;

  /** The controller's part of making a volume larger; harmless if it is as large already. */
  Expanded expand(VolumeRecord volume, long bytes, Operation operation) throws IOException;

  /**
   * The node's part.
   *
   * @param place where the volume is published for writing
   * @return the volume's capacity then, bytes
   */
  long expandOnNode(Place place, long bytes, Operation operation) throws IOException;

  /** Changes what the driver lets be changed. */
  void modify(VolumeRecord volume, ModifyVolumeRequest request, Operation operation)
      throws IOException;
}
