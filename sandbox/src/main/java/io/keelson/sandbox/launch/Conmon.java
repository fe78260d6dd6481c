package io.keelson.sandbox.launch;

import io.keelson.linux.Fd;
import io.keelson.linux.Spawn;
import io.keelson.linux.SpawnFiles;
import io.keelson.linux.Spawned;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.port.LaunchRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Starts the monitor of a container (conmon(8)). */
final class Conmon {

  private static final int SYNC_WRITE = 3;
  private static final int SYNC_READ = 4;

  private final LauncherSettings settings;
  private final Criu criu;

  Conmon(LauncherSettings settings) {
    this.settings = settings;
    this.criu = new Criu(settings.criu(), settings.timeout());
  }

  /**
   * Starts conmon, which makes the runtime create the container. It is a child of this process, in
   * a session of its own, and shares no file with it but the pipes of the answer.
   */
  Starting start(LaunchRequest request, Path program) throws IOException {
    List<String> command = command(request, program);
    Map<String, String> environment =
        new HashMap<>(
            request.restoreFrom().isPresent()
                ? criu.restoreEnvironment(new Bundle(request.bundle()).restoring())
                : OciRuntime.ENVIRONMENT);
    environment.put("_OCI_SYNCPIPE", Integer.toString(SYNC_WRITE));
    Fd[] sync = Fd.pipe();
    try {
      Fd[] errors = Fd.pipe();
      try {
        // conmon gets the reading end too. It never reads, but with it its answer can't fail for
        // want of a
        // reader: if the daemon is killed right now, conmon goes on, and the next daemon finds
        // both.
        SpawnFiles files =
            SpawnFiles.none().fd(2, errors[1]).fd(SYNC_WRITE, sync[1]).fd(SYNC_READ, sync[0]);
        Spawned process = Spawn.start(command, environment, request.bundle(), files, true);
        return new Starting(process, new SyncPipe(sync[0]), errors[0]);
      } catch (IOException | RuntimeException e) {
        errors[0].close();
        throw e;
      } finally {
        errors[1].close();
      }
    } catch (IOException | RuntimeException e) {
      sync[0].close();
      throw e;
    } finally {
      sync[1].close();
    }
  }

  private List<String> command(LaunchRequest request, Path program) {
    Bundle bundle = new Bundle(request.bundle());
    OciRuntime runtime = new OciRuntime(request.handler(), settings.timeout());
    List<String> command = new ArrayList<>();
    command.add(settings.conmon().toString());
    // One fork less, and its pid is known at once.
    command.add("--sync");
    command.addAll(List.of("-c", request.containerId(), "-u", request.containerId()));
    command.addAll(List.of("-r", program.toString()));
    command.addAll(List.of("-b", request.bundle().toString()));
    command.addAll(List.of("-p", bundle.initPid().toString()));
    command.addAll(List.of("--exit-dir", exitFolder(request).toString()));
    command.addAll(List.of("-l", request.logFile().map(Conmon::log).orElse("none")));
    // A container's end must not wait for the disk.
    command.add("--no-sync-log");
    // The attach socket is in the bundle, where paths may be longer than a socket's name.
    command.add("--full-attach");
    if (request.handler().systemdCgroup()) {
      command.add("-s");
    }
    if (request.terminal()) {
      command.add("-t");
    }
    if (request.stdin() || givesEmptyInput(request)) {
      command.add("-i");
    }
    if (request.stdin() && !request.stdinOnce()) {
      command.add("--leave-stdin-open");
    }
    for (String argument : runtime.argumentsUnderConmon()) {
      command.addAll(List.of("--runtime-arg", argument));
    }
    request
        .restoreFrom()
        .ifPresent(
            images -> {
              command.addAll(List.of("--restore", images.toString()));
              for (String option : OciRuntime.restoreOptions(bundle.restoring())) {
                command.addAll(List.of("--runtime-opt", option));
              }
            });
    return command;
  }

  /**
   * Runtimes such as crun 1.8 give standard input to the workload's user. Without one that is the
   * node's {@code /dev/null}, which nobody but the node's root may own; the workload gets a pipe
   * instead, to be ended when the container is made.
   */
  static boolean givesEmptyInput(LaunchRequest request) {
    return request.foreignUser() && !request.stdin() && !request.terminal();
  }

  private static Path exitFolder(LaunchRequest request) {
    Path file = request.exitFile().toAbsolutePath();
    Path folder = file.getParent();
    if (folder == null || !file.endsWith(request.containerId())) {
      throw new IllegalArgumentException("conmon names exit files by container id: " + file);
    }
    return folder;
  }

  private static String log(Path file) {
    if (file.toString().indexOf(':') >= 0) {
      throw new InvalidRequestException(
          "the log path " + file + " contains a colon, which the monitor conmon can't take");
    }
    return "k8s-file:" + file.toAbsolutePath();
  }

  /** A conmon that has not answered yet. */
  record Starting(Spawned process, SyncPipe answer, Fd errors) implements AutoCloseable {

    /**
     * What conmon itself complained about before it went to the background; {@code ""} for nothing.
     */
    String complaint() throws IOException {
      byte[] buffer = new byte[4096];
      if (!errors.awaitReadable(Duration.ZERO)) {
        return "";
      }
      int count = errors.read(buffer, 0, buffer.length);
      return count <= 0
          ? ""
          : RuntimeWords.of(new String(buffer, 0, count, StandardCharsets.UTF_8));
    }

    /** Closes the pipes; the process goes on. */
    @Override
    public void close() {
      answer.close();
      errors.close();
    }
  }
}
