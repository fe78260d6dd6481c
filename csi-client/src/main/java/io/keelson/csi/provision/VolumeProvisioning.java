package io.keelson.csi.provision;

import io.keelson.csi.driver.CallPolicy;
import io.keelson.csi.driver.Driver;
import io.keelson.csi.driver.DriverRegistry;
import io.keelson.csi.driver.Operation;
import io.keelson.csi.kind.CsiRequests;
import io.keelson.csi.kind.SecretFolders;
import io.keelson.csi.volume.Volumes;
import io.keelson.proto.csi.v1.ValidateVolumeCapabilitiesRequest;
import io.keelson.proto.csi.v1.ValidateVolumeCapabilitiesResponse;
import io.keelson.proto.node.v1.CreateVolumeRequest;
import io.keelson.proto.node.v1.CsiVolume;
import io.keelson.proto.node.v1.ModifyVolumeRequest;
import io.keelson.proto.node.v1.VolumeStatus;
import io.keelson.proto.record.v1.VolumeRecord;
import io.keelson.sandbox.error.InvalidRequestException;
import java.io.IOException;
import java.util.regex.Pattern;

/** Makes, changes and deletes volumes by their CSI drivers. Safe for use by many threads. */
public final class VolumeProvisioning {

  private static final Pattern NAME = Pattern.compile("[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?");

  private final Volumes volumes;
  private final DriverRegistry drivers;
  private final SecretFolders secrets;
  private final CallPolicy policy;

  public VolumeProvisioning(
      Volumes volumes, DriverRegistry drivers, SecretFolders secrets, CallPolicy policy) {
    this.volumes = volumes;
    this.drivers = drivers;
    this.secrets = secrets;
    this.policy = policy;
  }

  /** Makes a volume; the same request again answers the volume that is there. */
  public VolumeStatus create(CreateVolumeRequest request, Operation.Listener listener)
      throws IOException {
    validate(request);
    return volumes.provisioned().create(request, operation(listener));
  }

  private static void validate(CreateVolumeRequest request) {
    if (!NAME.matcher(request.getName()).matches()) {
      throw new InvalidRequestException(
          "\"" + request.getName() + "\" is no name of a volume (a-z, 0-9, '-', '.')");
    }
    CsiVolume volume = request.getVolume();
    if (volume.getDriver().isEmpty()) {
      throw new InvalidRequestException("the request names no driver");
    }
    if (!volume.getVolumeId().isEmpty()
        || volume.getVolumeContextCount() > 0
        || volume.getEphemeral()) {
      throw new InvalidRequestException(
          "a new volume has no volumeId, no volumeContext and is not ephemeral");
    }
  }

  /** Deletes a volume. Harmless if there is none of this name. */
  public void delete(String name, Operation.Listener listener) throws IOException {
    volumes.provisioned().delete(name, operation(listener));
  }

  /** Makes a volume larger, at the controller and where it is published. */
  public VolumeStatus expand(String name, long bytes, Operation.Listener listener)
      throws IOException {
    if (bytes <= 0) {
      throw new InvalidRequestException("the new size must be positive");
    }
    return volumes.provisioned().expand(name, bytes, operation(listener));
  }

  /** Changes what the driver lets be changed. */
  public VolumeStatus modify(ModifyVolumeRequest request, Operation.Listener listener)
      throws IOException {
    return volumes.provisioned().modify(request, operation(listener));
  }

  /**
   * Asks the driver whether a volume can be used as its record says.
   *
   * @return why not, {@code ""} if it can
   */
  public String validate(String name) throws IOException {
    Operation operation = Operation.of(policy.callTimeout(), Operation.Listener.NONE);
    VolumeRecord volume = volumes.provisioned().get(name);
    CsiVolume csi = volume.getSource().getCsi();
    Driver driver = drivers.get(csi.getDriver(), operation);
    ValidateVolumeCapabilitiesRequest call =
        ValidateVolumeCapabilitiesRequest.newBuilder()
            .setVolumeId(csi.getVolumeId())
            .putAllVolumeContext(csi.getVolumeContextMap())
            .addVolumeCapabilities(CsiRequests.capability(csi, "", driver.info(operation)))
            .putAllSecrets(secrets.text(csi.getSecret()))
            .build();
    ValidateVolumeCapabilitiesResponse answer =
        volumes.ask(
            volume.getKey(),
            () ->
                driver.controller(
                    "ValidateVolumeCapabilities",
                    name,
                    operation,
                    stub -> stub.validateVolumeCapabilities(call)));
    return answer.hasConfirmed() ? "" : answer.getMessage();
  }

  private Operation operation(Operation.Listener listener) {
    return Operation.of(policy.operationTimeout(), listener);
  }
}
