package io.keelson.runtime.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.ParameterException;

/** The program {@code keelson}. */
public final class Main {

  private Main() {}

  public static void main(String[] arguments) {
    System.exit(run(Terminal.ofProcess(), arguments));
  }

  /** Runs one command and gives its exit code. */
  static int run(Terminal terminal, String... arguments) {
    CommandLine commands =
        new CommandLine(new KeelsonCommand(), new CommandFactory(terminal))
            .setOut(new PrintWriter(terminal.out(), true, StandardCharsets.UTF_8))
            .setErr(new PrintWriter(terminal.err(), true, StandardCharsets.UTF_8))
            .setExecutionExceptionHandler(new Failures(terminal))
            .setParameterExceptionHandler((e, _) -> misused(terminal, e))
            .setColorScheme(
                CommandLine.Help.defaultColorScheme(terminal.interactive() ? Ansi.AUTO : Ansi.OFF));
    for (CommandLine command : commands.getSubcommands().values()) {
      // What follows the image or container belongs to the workload, options too.
      command.setStopAtPositional(command.getCommand() instanceof RunsWorkload);
    }
    helpEverywhere(commands);
    return commands.execute(arguments);
  }

  private static int misused(Terminal terminal, ParameterException e) {
    String command = e.getCommandLine().getCommandSpec().qualifiedName();
    terminal.err().println("keelson: " + e.getMessage() + "; see \"" + command + " --help\"");
    return ExitCode.USAGE;
  }

  private static void helpEverywhere(CommandLine command) {
    command.getCommandSpec().mixinStandardHelpOptions(false);
    if (!command.getCommandSpec().optionsMap().containsKey("--help")) {
      command
          .getCommandSpec()
          .addOption(
              CommandLine.Model.OptionSpec.builder("-h", "--help")
                  .usageHelp(true)
                  .description("Prints this help.")
                  .build());
    }
    command.getSubcommands().values().forEach(Main::helpEverywhere);
  }
}
