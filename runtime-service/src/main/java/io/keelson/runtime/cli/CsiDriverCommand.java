package io.keelson.runtime.cli;

import io.grpc.BindableService;
import io.keelson.csi.local.LocalDriver;
import io.keelson.csi.local.PluginRegistration;
import io.keelson.runtime.ProductVersion;
import io.keelson.sandbox.rpc.UnixServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code keelson csi-driver}: the local driver as a process of its own. */
@Command(
    name = "csi-driver",
    description = {
      "Serves a CSI driver with volumes on this node's disk, for this daemon or for a kubelet,"
          + " until it gets SIGTERM or SIGINT. Volumes stay mounted without it.",
    })
final class CsiDriverCommand implements Callable<Integer> {

  private static final Path HOSTNAME = Path.of("/proc/sys/kernel/hostname");

  @Option(
      names = "--endpoint",
      paramLabel = "SOCKET",
      required = true,
      description = "The unix socket to serve on: /path or unix:///path.")
  private String endpoint = "";

  @Option(
      names = "--root",
      paramLabel = "DIR",
      required = true,
      description = "Holds the volumes; must survive a reboot.")
  private Path root = Path.of("");

  @Option(
      names = "--name",
      paramLabel = "NAME",
      defaultValue = LocalDriver.NAME,
      description = "The driver's name. Default: ${DEFAULT-VALUE}.")
  private String name = LocalDriver.NAME;

  @Option(
      names = "--node-id",
      paramLabel = "ID",
      description = "This node's name. Default: the host's name.")
  private @Nullable String nodeId;

  @Option(
      names = "--registration-dir",
      paramLabel = "DIR",
      description = "Registers with whoever watches this folder, as a kubelet does.")
  private @Nullable Path registration;

  private final Terminal terminal;

  CsiDriverCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    Path socket = Path.of(endpoint.replaceFirst("^unix:(//)?", "")).toAbsolutePath().normalize();
    String node = nodeId == null ? Files.readString(HOSTNAME).strip() : nodeId;
    List<BindableService> services =
        new LocalDriver(name, root.toAbsolutePath(), node, ProductVersion.current()).services();
    List<UnixServer> servers = new ArrayList<>();
    servers.add(UnixServer.start(socket, services));
    if (registration != null) {
      servers.add(
          UnixServer.start(
              registration.resolve(name + "-reg.sock"),
              List.of(new PluginRegistration(name, socket))));
    }
    terminal.out().println(name + " serves " + socket);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> end(servers), "shutdown"));
    new CountDownLatch(1).await(); // a signal ends the process
    return ExitCode.OK;
  }

  private static void end(List<UnixServer> servers) {
    for (UnixServer server : servers) {
      try {
        server.close();
      } catch (IOException e) {
        // Nobody is left to be told; the socket's file is replaced at the next start.
      }
    }
    Runtime.getRuntime().halt(ExitCode.OK);
  }
}
