package io.keelson.runtime.cli;

import picocli.CommandLine.Command;

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
final class KeelsonCommand {}
