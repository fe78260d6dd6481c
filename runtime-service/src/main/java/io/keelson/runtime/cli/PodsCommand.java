package io.keelson.runtime.cli;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.keelson.proto.cri.v1.ListPodSandboxRequest;
import io.keelson.proto.cri.v1.PodSandbox;
import io.keelson.proto.cri.v1.PodSandboxNetworkStatus;
import io.keelson.proto.cri.v1.PodSandboxState;
import io.keelson.proto.cri.v1.PodSandboxStatusRequest;
import java.time.Instant;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code keelson pods}. */
@Command(name = "pods", description = "Lists the pods of this node.")
final class PodsCommand extends ClientCommand {

  @Mixin private final OutputOptions output = new OutputOptions();

  @Option(
      names = {"-q", "--quiet"},
      description = "Only the full ids, one a line.")
  private boolean quiet;

  PodsCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int run(CriClient daemon) {
    List<PodSandbox> pods =
        daemon.runtime().listPodSandbox(ListPodSandboxRequest.getDefaultInstance()).getItemsList();
    if (quiet) {
      pods.forEach(pod -> terminal().out().println(pod.getId()));
    } else if (output.isJson()) {
      terminal().out().println(OutputOptions.json(pods));
    } else {
      Instant now = Instant.now();
      Table table = new Table("POD", "NAME", "NAMESPACE", "STATE", "AGE", "ADDRESSES");
      for (PodSandbox pod : pods) {
        table.row(
            Units.shortId(pod.getId()),
            pod.getMetadata().getName(),
            pod.getMetadata().getNamespace(),
            pod.getState() == PodSandboxState.SANDBOX_READY ? "ready" : "stopped",
            Units.ageOf(pod.getCreatedAt(), now),
            addresses(daemon, pod.getId()));
      }
      table.print(terminal().out());
    }
    return ExitCode.OK;
  }

  private static String addresses(CriClient daemon, String id) {
    try {
      PodSandboxNetworkStatus network =
          daemon
              .runtime()
              .podSandboxStatus(PodSandboxStatusRequest.newBuilder().setPodSandboxId(id).build())
              .getStatus()
              .getNetwork();
      StringBuilder addresses = new StringBuilder(network.getIp());
      network.getAdditionalIpsList().forEach(ip -> addresses.append(", ").append(ip.getIp()));
      return addresses.toString();
    } catch (StatusRuntimeException e) {
      if (e.getStatus().getCode() == Status.Code.NOT_FOUND) { // removed since it was listed
        return "";
      }
      throw e;
    }
  }
}
