package io.keelson.runtime.cli;

import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** {@code keelson}, which does nothing without one of its commands. */
@Command(
    name = "keelson",
    description = "A Kubernetes node runtime: pods and containers of this node.",
    synopsisSubcommandLabel = "COMMAND",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:Done.",
      "1:The daemon or the node could not do it.",
      "2:The command line or the configuration is wrong.",
      "3:There is no pod, container or image of this name or id.",
      "4:No daemon answers on the socket, or it is not ready yet.",
      "5:It took longer than it was given.",
      "125:run and exec, which else end with the code of what they ran, failed themselves.",
    })
final class KeelsonCommand {

  @Option(
      names = "--socket",
      paramLabel = "PATH",
      scope = ScopeType.INHERIT,
      description =
          "The daemon's socket. Default: $KEELSON_SOCKET (not for serve), else what the"
              + " configuration says (/run/keelson/keelson.sock).")
  private @Nullable Path socket;

  /** The one that a command belongs to. */
  static KeelsonCommand of(CommandSpec command) {
    return (KeelsonCommand) command.root().userObject();
  }

  /** As given before or after the name of the command. */
  Optional<Path> socket() {
    return Optional.ofNullable(socket).map(path -> path.toAbsolutePath().normalize());
  }
}
