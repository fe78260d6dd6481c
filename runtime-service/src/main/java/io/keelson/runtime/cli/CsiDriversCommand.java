package io.keelson.runtime.cli;

import io.keelson.proto.node.v1.DriverStatus;
import io.keelson.proto.node.v1.ListDriversRequest;
import picocli.CommandLine.Command;

/** {@code keelson volumes drivers}. */
@Command(name = "drivers", description = "Lists the CSI drivers.")
final class CsiDriversCommand extends ClientCommand {

  CsiDriversCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int run(CriClient daemon) {
    Table table = new Table("DRIVER", "STATE", "VERSION", "ORIGIN", "ENDPOINT", "MESSAGE");
    for (DriverStatus driver :
        daemon.volumes().listDrivers(ListDriversRequest.getDefaultInstance()).getDriversList()) {
      table.row(
          driver.getName(),
          driver.getState(),
          driver.getVersion(),
          driver.getOrigin(),
          driver.getEndpoint(),
          driver.getMessage());
    }
    table.print(terminal().out());
    return ExitCode.OK;
  }
}
