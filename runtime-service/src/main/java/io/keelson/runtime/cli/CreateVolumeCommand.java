package io.keelson.runtime.cli;

import io.keelson.proto.csi.v1.CapacityRange;
import io.keelson.proto.node.v1.CreateVolumeRequest;
import io.keelson.proto.node.v1.CsiVolume;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code keelson volumes create}. */
@Command(name = "create", description = "Makes a volume.")
final class CreateVolumeCommand extends ClientCommand {

  @Parameters(paramLabel = "NAME", description = "1 to 63 of a-z, 0-9, '-', '.'.")
  private String name = "";

  @Option(
      names = "--size",
      paramLabel = "SIZE",
      description = "Bytes, or a number with k, m or g; without it, the driver chooses.")
  private @Nullable String size;

  @Option(
      names = "--driver",
      paramLabel = "NAME",
      defaultValue = VolumesCommand.DEFAULT_DRIVER,
      description = "The CSI driver. Default: ${DEFAULT-VALUE}.")
  private String driver = VolumesCommand.DEFAULT_DRIVER;

  @Option(names = "--block", description = "A raw device, not a file system.")
  private boolean block;

  @Option(names = "--fs-type", paramLabel = "TYPE", description = "Such as ext4 or xfs.")
  private @Nullable String fileSystem;

  @Option(
      names = "--secret",
      paramLabel = "NAME",
      description = "The folder of secrets that the driver is given.")
  private @Nullable String secret;

  @Option(names = "--from-snapshot", paramLabel = "ID", description = "Restores a snapshot.")
  private @Nullable String snapshot;

  @Option(names = "--from-volume", paramLabel = "NAME", description = "Clones a volume.")
  private @Nullable String volume;

  @Option(
      names = "--parameter",
      paramLabel = "KEY=VALUE",
      description = "What the driver alone understands; may be given many times.")
  private @Nullable Map<String, String> parameters;

  CreateVolumeCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int run(CriClient daemon) {
    return new VolumeSteps(terminal())
        .show(daemon.volumes().createVolume(request()), end -> end.getVolume().getName());
  }

  private CreateVolumeRequest request() {
    CsiVolume.Builder csi = CsiVolume.newBuilder().setDriver(driver).setBlock(block);
    if (fileSystem != null) {
      csi.setFsType(fileSystem);
    }
    if (secret != null) {
      csi.setSecret(secret);
    }
    CreateVolumeRequest.Builder request =
        CreateVolumeRequest.newBuilder().setName(name).setVolume(csi);
    if (size != null) {
      request.setCapacity(CapacityRange.newBuilder().setRequiredBytes(ResourceFlags.bytes(size)));
    }
    if (snapshot != null) {
      request.setFromSnapshotId(snapshot);
    }
    if (volume != null) {
      request.setFromVolume(volume);
    }
    if (parameters != null) {
      request.putAllParameters(parameters);
    }
    return request.build();
  }
}
