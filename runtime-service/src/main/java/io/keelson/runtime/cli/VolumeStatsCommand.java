package io.keelson.runtime.cli;

import io.keelson.proto.csi.v1.VolumeUsage;
import io.keelson.proto.node.v1.VolumeStatsRequest;
import io.keelson.proto.node.v1.VolumeStatsResponse;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code keelson volumes stats}. */
@Command(name = "stats", description = "How full a volume or a publication is.")
final class VolumeStatsCommand extends ClientCommand {

  @Parameters(paramLabel = "NAME")
  private String name = "";

  VolumeStatsCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int run(CriClient daemon) {
    VolumeStatsResponse stats =
        daemon.volumes().volumeStats(VolumeStatsRequest.newBuilder().setName(name).build());
    Table table = new Table("UNIT", "TOTAL", "USED", "FREE");
    for (VolumeUsage usage : stats.getUsageList()) {
      boolean bytes = usage.getUnit() == VolumeUsage.Unit.BYTES;
      Function<Long, String> text = bytes ? Units::size : String::valueOf;
      table.row(
          bytes ? "bytes" : "inodes",
          text.apply(usage.getTotal()),
          text.apply(usage.getUsed()),
          text.apply(usage.getAvailable()));
    }
    table.print(terminal().out());
    if (stats.getCondition().getAbnormal()) {
      terminal().out().println("not well: " + stats.getCondition().getMessage());
    }
    return ExitCode.OK;
  }
}
