package io.keelson.runtime.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.ParameterException;

/** The program {@code keelson}. */
public final class Main {

  /** In the order of the help. */
  private static final List<Class<?>> COMMANDS =
      List.of(
          ServeCommand.class,
          NriCommand.class,
          StatusCommand.class,
          VersionCommand.class,
          ConfigCommand.class,
          PullCommand.class,
          ImportCommand.class,
          ImagesCommand.class,
          RmiCommand.class,
          RunCommand.class,
          PodsCommand.class,
          PsCommand.class,
          StatsCommand.class,
          TopCommand.class,
          EventsCommand.class,
          LogsCommand.class,
          ExecCommand.class,
          AttachCommand.class,
          PortForwardCommand.class,
          InspectCommand.class,
          DevicesCommand.class,
          StopCommand.class,
          RmCommand.class,
          VolumesCommand.class,
          CsiDriverCommand.class,
          BenchCommand.class);

  private Main() {}

  public static void main(String[] arguments) {
    // What is written is for other programs: digits are ASCII, whatever the host's people write.
    Locale.setDefault(Locale.ROOT);
    try {
      System.exit(run(Terminal.ofProcess(), arguments));
    } catch (Error e) {
      // Not for the handler of exceptions; and threads that run already would keep the process.
      e.printStackTrace();
      System.exit(ExitCode.FAILED);
    }
  }

  /** Runs one command and gives its exit code. */
  static int run(Terminal terminal, String... arguments) {
    CommandLine commands = new CommandLine(new KeelsonCommand(), new CommandFactory(terminal));
    commandsFor(arguments).forEach(commands::addSubcommand);
    commands // after the commands are there: these settings are for them too
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

  /**
   * Only the command that is asked for (and one whose name stands elsewhere in the line): reading
   * the options of all of them takes a tenth of a second.
   */
  private static List<Class<?>> commandsFor(String[] arguments) {
    List<Class<?>> asked =
        COMMANDS.stream().filter(c -> List.of(arguments).contains(nameOf(c))).toList();
    return asked.isEmpty() ? COMMANDS : asked;
  }

  private static String nameOf(Class<?> command) {
    return Objects.requireNonNull(command.getAnnotation(Command.class)).name();
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
