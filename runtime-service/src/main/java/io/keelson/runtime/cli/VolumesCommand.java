package io.keelson.runtime.cli;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import io.keelson.proto.node.v1.DeleteSnapshotRequest;
import io.keelson.proto.node.v1.DeleteVolumeRequest;
import io.keelson.proto.node.v1.ExpandVolumeRequest;
import io.keelson.proto.node.v1.ListVolumesRequest;
import io.keelson.proto.node.v1.PublishVolumeRequest;
import io.keelson.proto.node.v1.SnapshotVolumeRequest;
import io.keelson.proto.node.v1.UnpublishVolumeRequest;
import io.keelson.proto.node.v1.VolumeProgress;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.proto.node.v1.VolumeStatus;
import io.keelson.runtime.config.ConfigurationException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code keelson volumes}. */
@Command(
    name = "volumes",
    description = {
      "Lists the volumes of this node; with a further word makes, changes and publishes them.",
    },
    subcommands = {
      CreateVolumeCommand.class,
      CsiDriversCommand.class,
      ShowVolumeCommand.class,
      SnapshotBlocksCommand.class,
      VolumeStatsCommand.class
    })
final class VolumesCommand implements Callable<Integer> {

  static final String DEFAULT_DRIVER = "local.csi.keelson.io";

  @Mixin private final ClientOptions client = new ClientOptions();
  @Mixin private final OutputOptions output = new OutputOptions();

  private final Terminal terminal;

  VolumesCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws ConfigurationException {
    try (CriClient daemon = client.connect()) {
      List<VolumeStatus> volumes =
          daemon.volumes().listVolumes(ListVolumesRequest.getDefaultInstance()).getVolumesList();
      if (output.isJson()) {
        terminal.out().println(OutputOptions.json(volumes));
      } else {
        print(volumes);
      }
    }
    return ExitCode.OK;
  }

  private void print(List<VolumeStatus> volumes) {
    Table table = new Table("VOLUME", "KIND", "STATE", "SIZE", "PUBLISHED", "TROUBLE");
    for (VolumeStatus volume : volumes) {
      table.row(
          volume.getName().isEmpty() ? volume.getKey() : volume.getName(),
          kind(volume.getSource()),
          volume.getState(),
          volume.getCapacityBytes() == 0 ? "" : Units.size(volume.getCapacityBytes()),
          Integer.toString(volume.getPublicationsCount()),
          troubles(volume));
    }
    table.print(terminal.out());
  }

  /** Why it does not get on, and what its driver says is wrong with it. */
  private static String troubles(VolumeStatus volume) {
    List<String> troubles = new ArrayList<>();
    if (!volume.getTrouble().isEmpty()) {
      troubles.add(volume.getFailedAttempts() + " x: " + volume.getTrouble());
    }
    volume
        .getAbnormalList()
        .forEach(each -> troubles.add("not well (" + each.getLevel() + "): " + each.getMessage()));
    return String.join("; ", troubles);
  }

  private static String kind(VolumeSource source) {
    return switch (source.getKindCase()) {
      case CSI -> source.getCsi().getDriver();
      case DOCKER -> "docker " + source.getDocker().getDriver();
      case HOST_PATH -> "host path";
      case SANDBOX_PATH -> "sandbox path";
      case TMPFS -> "tmpfs";
      case SECRET -> "secret";
      case VOLUME, KIND_NOT_SET -> "";
    };
  }

  @Command(name = "rm", description = "Deletes volumes with all that they hold.")
  int remove(@Parameters(arity = "1..*", paramLabel = "NAME") List<String> names)
      throws ConfigurationException {
    for (String name : names) {
      last(
          daemon ->
              daemon.volumes().deleteVolume(DeleteVolumeRequest.newBuilder().setName(name).build()),
          _ -> name);
    }
    return ExitCode.OK;
  }

  @Command(
      name = "publish",
      description = "Makes a volume appear at a path of this node, and prints the path.")
  int publish(
      @Parameters(paramLabel = "ID", description = "Names the publication.") String id,
      @Parameters(
              paramLabel = "VOLUME",
              description = "The name of a volume, or the JSON of the annotation for pods.")
          String volume,
      @Option(names = "--read-only", description = "No writes.") boolean readOnly)
      throws ConfigurationException {
    VolumeSource.Builder source = source(volume);
    if (readOnly) {
      source.setReadOnly(true);
    }
    PublishVolumeRequest request =
        PublishVolumeRequest.newBuilder().setId(id).setSource(source).build();
    return last(
        daemon -> daemon.volumes().publishVolume(request), end -> end.getPublication().getPath());
  }

  private static VolumeSource.Builder source(String volume) {
    VolumeSource.Builder source = VolumeSource.newBuilder();
    if (!volume.startsWith("{")) {
      return source.setVolume(volume);
    }
    try {
      JsonFormat.parser().merge(volume, source);
      return source;
    } catch (InvalidProtocolBufferException e) {
      throw new CommandException(ExitCode.USAGE, "not a volume: " + e.getMessage());
    }
  }

  @Command(name = "unpublish", description = "Takes a publication away.")
  int unpublish(@Parameters(paramLabel = "ID") String id) throws ConfigurationException {
    return last(
        daemon ->
            daemon.volumes().unpublishVolume(UnpublishVolumeRequest.newBuilder().setId(id).build()),
        _ -> id);
  }

  @Command(name = "expand", description = "Makes a volume larger.")
  int expand(
      @Parameters(paramLabel = "NAME") String name,
      @Parameters(paramLabel = "SIZE", description = "Bytes, or a number with k, m or g.")
          String size)
      throws ConfigurationException {
    ExpandVolumeRequest request =
        ExpandVolumeRequest.newBuilder()
            .setName(name)
            .setSizeBytes(ResourceFlags.bytes(size))
            .build();
    return last(
        daemon -> daemon.volumes().expandVolume(request),
        end -> Units.size(end.getVolume().getCapacityBytes()));
  }

  @Command(name = "snapshot", description = "Freezes the content of a volume; prints its id.")
  int snapshot(
      @Parameters(paramLabel = "VOLUME") String volume,
      @Parameters(paramLabel = "NAME", description = "Of the snapshot.") String name)
      throws ConfigurationException {
    SnapshotVolumeRequest request =
        SnapshotVolumeRequest.newBuilder().setVolume(volume).setName(name).build();
    return last(
        daemon -> daemon.volumes().snapshotVolume(request),
        end -> end.getSnapshot().getSnapshotId());
  }

  @Command(name = "rm-snapshot", description = "Deletes a snapshot.")
  int removeSnapshot(
      @Parameters(paramLabel = "ID") String id,
      @Option(names = "--driver", paramLabel = "NAME", defaultValue = DEFAULT_DRIVER) String driver)
      throws ConfigurationException {
    DeleteSnapshotRequest request =
        DeleteSnapshotRequest.newBuilder().setDriver(driver).setSnapshotId(id).build();
    return last(daemon -> daemon.volumes().deleteSnapshot(request), _ -> id);
  }

  private interface Call {
    Iterator<VolumeProgress> on(CriClient daemon);
  }

  private int last(Call call, Function<VolumeProgress, String> result)
      throws ConfigurationException {
    try (CriClient daemon = client.connect()) {
      return new VolumeSteps(terminal).show(call.on(daemon), result);
    }
  }
}
