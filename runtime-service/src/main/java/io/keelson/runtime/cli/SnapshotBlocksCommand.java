package io.keelson.runtime.cli;

import io.keelson.proto.csi.v1.BlockMetadata;
import io.keelson.proto.node.v1.SnapshotBlocksRequest;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code keelson volumes blocks}. */
@Command(
    name = "blocks",
    description = "Which bytes of a snapshot hold data, or differ from an older snapshot.")
final class SnapshotBlocksCommand extends ClientCommand {

  @Mixin private final OutputOptions output = new OutputOptions();

  @Parameters(paramLabel = "ID", description = "Of the snapshot.")
  private String id = "";

  @Option(names = "--base", paramLabel = "ID", description = "The older snapshot.")
  private String base = "";

  @Option(
      names = "--driver",
      paramLabel = "NAME",
      description = "The CSI driver. Default: ${DEFAULT-VALUE}.")
  private String driver = VolumesCommand.DEFAULT_DRIVER;

  SnapshotBlocksCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int run(CriClient daemon) {
    SnapshotBlocksRequest request =
        SnapshotBlocksRequest.newBuilder()
            .setDriver(driver)
            .setSnapshotId(id)
            .setBaseSnapshotId(base)
            .build();
    List<BlockMetadata> blocks = new ArrayList<>();
    daemon
        .volumes()
        .snapshotBlocks(request)
        .forEachRemaining(some -> blocks.addAll(some.getBlocksList()));
    if (output.isJson()) {
      terminal().out().println(OutputOptions.json(blocks));
      return ExitCode.OK;
    }
    Table table = new Table("OFFSET", "SIZE");
    for (BlockMetadata block : blocks) {
      table.row(Long.toString(block.getByteOffset()), Long.toString(block.getSizeBytes()));
    }
    table.print(terminal().out());
    return ExitCode.OK;
  }
}
