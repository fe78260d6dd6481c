package io.keelson.runtime.cli;

import io.keelson.proto.node.v1.DescribeVolumeRequest;
import io.keelson.proto.node.v1.DescribeVolumeResponse;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code keelson volumes show}. */
@Command(name = "show", description = "A volume as its driver's controller sees it.")
final class ShowVolumeCommand extends ClientCommand {

  @Mixin private final OutputOptions output = new OutputOptions();

  @Parameters(paramLabel = "NAME")
  private String name = "";

  ShowVolumeCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int run(CriClient daemon) {
    DescribeVolumeResponse volume =
        daemon.volumes().describeVolume(DescribeVolumeRequest.newBuilder().setName(name).build());
    if (output.isJson()) {
      terminal().out().println(OutputOptions.json(volume));
      return ExitCode.OK;
    }
    Table table = new Table("ID", "SIZE", "NODES", "CONDITION");
    table.row(
        volume.getVolume().getVolumeId(),
        Units.size(volume.getVolume().getCapacityBytes()),
        String.join(" ", volume.getNodeIdsList()),
        (volume.getCondition().getAbnormal() ? "not well: " : "")
            + volume.getCondition().getMessage());
    table.print(terminal().out());
    if (!volume.getUnusable().isEmpty()) {
      terminal().out().println("not usable: " + volume.getUnusable());
    }
    return ExitCode.OK;
  }
}
