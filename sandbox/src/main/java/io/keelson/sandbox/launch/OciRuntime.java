package io.keelson.sandbox.launch;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.keelson.linux.CommandTimeoutException;
import io.keelson.linux.Commands;
import io.keelson.linux.Commands.Output;
import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.Fd;
import io.keelson.linux.Pidfd;
import io.keelson.linux.ProcessId;
import io.keelson.linux.Signals;
import io.keelson.linux.Spawn;
import io.keelson.linux.SpawnFiles;
import io.keelson.linux.Spawned;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.port.RuntimeHandler;
import io.keelson.sandbox.port.RuntimeType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * The command line of an OCI runtime, as runc has it and others follow. What two runtimes want
 * differently is decided here and nowhere else.
 */
final class OciRuntime {

  /**
   * No variable of the daemon may reach a runtime: NOTIFY_SOCKET and LISTEN_FDS of the service that
   * the daemon is would be handed on to containers.
   */
  static final Map<String, String> ENVIRONMENT =
      Map.of("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int MAX_OUTPUT = 64 * 1024;
  private static final byte[] NO_INPUT = new byte[0];
  private static final byte[] GO = {0};

  /** Else CRIU refuses whoever holds a lock or has a connection. */
  private static final List<String> CRIU_OPTIONS = List.of("--file-locks", "--tcp-established");

  private final RuntimeHandler handler;
  private final Path program;
  private final Duration timeout;

  /** Starts the runtime from its file. */
  OciRuntime(RuntimeHandler handler, Duration timeout) {
    this(handler, handler.binary(), timeout);
  }

  /**
   * A runtime by its command line.
   *
   * @param program what is started in place of the handler's binary
   */
  OciRuntime(RuntimeHandler handler, Path program, Duration timeout) {
    this.handler = handler;
    this.program = program;
    this.timeout = timeout;
  }

  /** What conmon must put before the command; {@code --systemd-cgroup} it adds itself. */
  List<String> argumentsUnderConmon() {
    return List.of("--root=" + handler.root());
  }

  /**
   * Lets the workload of a created container run. What crun does for that is one write, which needs
   * no process of its own unless hooks are to run afterwards.
   */
  void start(String id, Bundle bundle) throws IOException {
    if (isCrun() && !bundle.spec().hasHooks("poststart") && letRun(id)) {
      return;
    }
    run("start", NO_INPUT, List.of("start", id));
  }

  /**
   * As {@code crun start} does it: whoever unlinks the fifo that the init process waits at has the
   * say, and a byte lets it go.
   *
   * @return false if nobody waits there; crun then knows better what is wrong
   */
  private boolean letRun(String id) throws IOException {
    Path fifo = fifoOf(id);
    try (Fd waiting = Fd.open(fifo, Fd.O_WRONLY | Fd.O_NONBLOCK, 0)) {
      Files.delete(fifo);
      waiting.write(GO, 0, GO.length);
      return true;
    } catch (ErrnoException e) {
      if (e.is(Errno.ENXIO) || e.is(Errno.ENOENT)) {
        return false;
      }
      throw e;
    }
  }

  /**
   * Creates and starts a container that nobody waits for. It keeps no file of this process open:
   * its output ends in its own input, which it does not read. With {@code /dev/null} some runtimes
   * would give that to the container's user.
   *
   * @param log receives the runtime's errors
   */
  void runDetached(String id, Path bundle, Path pidFile, Path log) throws IOException {
    List<String> command =
        command(
            List.of(
                "--log=" + log,
                "--log-format=json",
                "run",
                "--detach",
                "--bundle=" + bundle,
                "--pid-file=" + pidFile,
                id));
    Fd[] pipe = Fd.pipe();
    try (Fd input = pipe[0];
        Fd output = pipe[1];
        Spawned child =
            Spawn.start(
                command,
                ENVIRONMENT,
                bundle,
                SpawnFiles.none().fd(0, input).fd(1, output).fd(2, output),
                true)) {
      OptionalInt code = child.await(timeout);
      if (code.isEmpty()) {
        throw tookTooLong("run", id, null);
      }
      if (code.getAsInt() != 0) {
        String said = Files.exists(log) ? Files.readString(log, StandardCharsets.UTF_8) : "";
        throw failed("run", id, RuntimeWords.errorIn(said).orElse("exit code " + code.getAsInt()));
      }
    }
  }

  void update(String id, byte[] resources) throws IOException {
    run("update", resources, List.of("update", "--resources", "/dev/stdin", id));
  }

  void pause(String id) throws IOException {
    run("pause", NO_INPUT, List.of("pause", id));
  }

  /** Harmless if it is not paused. */
  void resume(String id) throws IOException {
    if (status(id).orElse("").equals("paused")) {
      run("resume", NO_INPUT, List.of("resume", id));
    }
  }

  /** True if it knows the commands {@code checkpoint} and {@code restore}. */
  boolean drivesCriu() throws IOException {
    if (!isCrun()) {
      return isRunc();
    }
    Output output =
        Commands.run(command(List.of("--version")), ENVIRONMENT, NO_INPUT, timeout, MAX_OUTPUT);
    return output.stdoutText().contains("+CRIU");
  }

  /**
   * Writes the processes of a container to files and leaves them as they are.
   *
   * @param logs receives CRIU's log and statistics
   * @throws CommandTimeoutException after {@code timeout}; CRIU itself is not killed, which would
   *     take the processes with it, but undoes its work, since nobody asks it any more
   */
  void checkpoint(
      String id, Path images, Path logs, Map<String, String> environment, Duration timeout)
      throws IOException {
    List<String> arguments =
        new ArrayList<>(List.of("checkpoint", "--image-path", images.toString()));
    arguments.addAll(List.of("--work-path", logs.toString(), "--leave-running"));
    arguments.addAll(CRIU_OPTIONS);
    arguments.add(id);
    Output output =
        Commands.run(
            command(arguments), environment, NO_INPUT, timeout, MAX_OUTPUT, OciRuntime::terminate);
    requireSuccess("checkpoint", id, output);
  }

  private static void terminate(int pid) throws IOException {
    Optional<ProcessId> process = ProcessId.of(pid);
    if (process.isPresent()) {
      Pidfd.signal(process.get(), Signals.SIGTERM);
    }
  }

  /**
   * The options of {@code restore}, which must be those of the checkpoint.
   *
   * @param logs receives CRIU's log
   */
  static List<String> restoreOptions(Path logs) {
    List<String> options = new ArrayList<>(CRIU_OPTIONS);
    options.addAll(List.of("--work-path", logs.toString()));
    return options;
  }

  /**
   * Deletes the container if the runtime knows it, killing it first. Of one that has ended the
   * runtimes known here keep files and control groups only, and the groups are the caller's to
   * remove: then no process is needed, unless systemd or hooks have a part in it.
   *
   * @param spec of its bundle
   * @param ended nothing of the container runs any more
   * @throws OperationFailedException if the runtime can't
   */
  void delete(String id, Bundle.Spec spec, boolean ended) throws IOException {
    if (!knows(id)) {
      return;
    }
    boolean filesOnly =
        ended
            && (isCrun() || isRunc())
            && !handler.systemdCgroup()
            && !spec.hasHooks("poststop")
            && !spec.hasResourceClass();
    if (!filesOnly) {
      run("delete", NO_INPUT, List.of("delete", "--force", id));
    }
  }

  /** True if the runtime keeps something of this container, in whatever state. */
  boolean knows(String id) {
    return Files.exists(stateOf(id));
  }

  /** Takes away by hand what the runtime keeps of a container that it can't delete. */
  void forget(String id) throws IOException {
    Folders.delete(stateOf(id));
  }

  /**
   * {@code creating}, {@code created}, {@code running}, {@code stopped}, …; empty if it does not
   * know it.
   */
  Optional<String> status(String id) throws IOException {
    if (!knows(id)) {
      return Optional.empty();
    }
    Output output =
        Commands.run(command(List.of("state", id)), ENVIRONMENT, NO_INPUT, timeout, MAX_OUTPUT);
    if (!output.isSuccess()) {
      return Optional.empty();
    }
    String status = JSON.readTree(output.stdout()).path("status").asText();
    return status.isEmpty() ? Optional.empty() : Optional.of(status);
  }

  /**
   * True while the init process waits to be let run: both runtimes have it wait at a fifo that they
   * unlink as they let it go, so that it tells "never started" also of a container that has ended
   * since.
   */
  boolean isWaitingToStart(String id) {
    return Files.exists(fifoOf(id));
  }

  /**
   * The command that runs a further process in a container with its own standard output and error,
   * ends with it and with its exit code. The process object comes on standard input.
   *
   * <p>crun does all that by itself. runc goes on for as long as anybody has the output open, a
   * child that the process left behind perhaps, so it is run under a conmon that does nothing but
   * wait; any other runtime too, since that is right for all of them.
   *
   * @param log receives the runtime's own errors as lines of JSON, apart from what the process says
   * @param pidFile for the runtime's use
   * @param options further options of exec
   */
  List<String> exec(String id, Path conmon, Path log, Path pidFile, List<String> options) {
    return exec(id, conmon, log, pidFile, options, Path.of("/proc/self/fd/0"));
  }

  /** As above, with the process object in a file, so that the process can have standard input. */
  List<String> exec(
      String id, Path conmon, Path log, Path pidFile, List<String> options, Path process) {
    List<String> logging = List.of("--log=" + log, "--log-format=json");
    List<String> command = new ArrayList<>();
    if (isCrun()) {
      command.addAll(command(logging));
      command.add("exec");
      command.addAll(options);
      command.addAll(List.of("--process", process.toString(), id));
      return command;
    }
    command.addAll(List.of(conmon.toString(), "--sync", "--exec", "-l", "passthrough"));
    command.addAll(List.of("-c", id, "-u", id, "-r", program.toString()));
    command.addAll(List.of("-p", pidFile.toString(), "--exec-process-spec", process.toString()));
    for (String argument : command(logging).subList(1, command(logging).size())) {
      command.addAll(List.of("--runtime-arg", argument));
    }
    for (String option : options) {
      command.addAll(List.of("--runtime-opt", option));
    }
    return command;
  }

  /**
   * The command that runs a further process in a terminal of its own, ends with it and with its
   * exit code: either it sends the terminal's master to a socket, or it is itself run in a terminal
   * that it makes the process' own one follow.
   *
   * @param process the file of the process object
   * @param console the name of the socket in the working directory, if {@link #sendsTerminals}
   */
  List<String> execInTerminal(String id, Path log, Path process, String console) {
    List<String> command =
        new ArrayList<>(command(List.of("--log=" + log, "--log-format=json", "exec")));
    if (sendsTerminals()) {
      command.addAll(List.of("--console-socket", console));
    }
    command.addAll(List.of("--process", process.toString(), id));
    return command;
  }

  /**
   * True if exec gives its terminal away and still waits for the process, which runc refuses. crun
   * can follow a terminal too, but some releases lose changes of its size.
   */
  boolean sendsTerminals() {
    return isCrun();
  }

  private boolean isCrun() {
    return handler.type() == RuntimeType.CRUN;
  }

  private boolean isRunc() {
    return handler.type() == RuntimeType.RUNC;
  }

  private List<String> command(List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(program.toString());
    command.addAll(argumentsUnderConmon());
    if (handler.systemdCgroup()) {
      command.add("--systemd-cgroup");
    }
    command.addAll(arguments);
    return command;
  }

  private void run(String verb, byte[] input, List<String> arguments) throws IOException {
    String id = arguments.getLast();
    Output output;
    try {
      output = Commands.run(command(arguments), ENVIRONMENT, input, timeout, MAX_OUTPUT);
    } catch (CommandTimeoutException e) {
      throw tookTooLong(verb, id, e);
    }
    requireSuccess(verb, id, output);
  }

  private void requireSuccess(String verb, String id, Output output) {
    if (!output.isSuccess()) {
      throw failed(verb, id, saidOr(output.stderrText(), "exit code " + output.exitCode()));
    }
  }

  private OperationFailedException failed(String verb, String id, String why) {
    return new OperationFailedException(
        "%s %s %s: %s".formatted(handler.binary().getFileName(), verb, id, why));
  }

  private OperationFailedException tookTooLong(String verb, String id, @Nullable Throwable cause) {
    return new OperationFailedException(
        "%s %s %s did not end within %d ms and was killed"
            .formatted(handler.binary().getFileName(), verb, id, timeout.toMillis()),
        cause);
  }

  private static String saidOr(String text, String otherwise) {
    String words = RuntimeWords.of(text);
    return words.isEmpty() ? otherwise : words;
  }

  private Path fifoOf(String id) {
    return stateOf(id).resolve("exec.fifo");
  }

  private Path stateOf(String id) {
    return handler.root().resolve(id);
  }
}
