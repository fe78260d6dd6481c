package io.keelson.runtime.cli;

import io.keelson.proto.cri.v1.RuntimeCondition;
import io.keelson.proto.cri.v1.RuntimeConfigRequest;
import io.keelson.proto.cri.v1.StatusRequest;
import io.keelson.proto.cri.v1.StatusResponse;
import io.keelson.proto.cri.v1.VersionRequest;
import io.keelson.proto.cri.v1.VersionResponse;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code keelson status}. */
@Command(
    name = "status",
    description = "Says whether the daemon can run pods; exit code 1 if it can't.")
final class StatusCommand extends ClientCommand {

  @Mixin private final OutputOptions output = new OutputOptions();

  StatusCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int run(CriClient daemon) {
    StatusResponse status =
        daemon.runtime().status(StatusRequest.newBuilder().setVerbose(output.isJson()).build());
    boolean ready =
        status.getStatus().getConditionsList().stream().allMatch(RuntimeCondition::getStatus);
    if (output.isJson()) {
      terminal().out().println(OutputOptions.json(status));
    } else {
      print(daemon, status, ready);
    }
    return ready ? ExitCode.OK : ExitCode.FAILED;
  }

  private void print(CriClient daemon, StatusResponse status, boolean ready) {
    VersionResponse version = daemon.runtime().version(VersionRequest.getDefaultInstance());
    Table conditions = new Table("CONDITION", "STATUS", "REASON", "MESSAGE");
    for (RuntimeCondition condition : status.getStatus().getConditionsList()) {
      conditions.row(
          condition.getType(),
          condition.getStatus() ? "yes" : "no",
          condition.getReason(),
          condition.getMessage());
    }
    var out = terminal().out();
    out.println("keelson " + version.getRuntimeVersion() + (ready ? " is ready" : " is not ready"));
    conditions.print(out);
    out.println(
        "runtimes: "
            + status.getRuntimeHandlersList().stream()
                .map(h -> h.getName())
                .filter(name -> !name.isEmpty())
                .collect(Collectors.joining(", ")));
    if (ready) {
      String driver =
          daemon
              .runtime()
              .runtimeConfig(RuntimeConfigRequest.getDefaultInstance())
              .getLinux()
              .getCgroupDriver()
              .name();
      out.println("cgroup driver: " + driver.toLowerCase(Locale.ROOT));
    }
  }
}
