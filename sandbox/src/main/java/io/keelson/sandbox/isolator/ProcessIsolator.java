package io.keelson.sandbox.isolator;

import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.KeyValue;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.ImageDescription;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.spec.SpecBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The command line, the environment and the working directory, from the image and what the caller
 * says instead. A working directory that does not exist is made by the OCI runtime, once all mounts
 * are there.
 */
public final class ProcessIsolator implements Isolator {

  private static final String DEFAULT_PATH =
      "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  private static final String DEFAULT_TERM = "xterm";
  private static final Path HOSTNAME = Path.of("/proc/sys/kernel/hostname");

  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) throws IOException {
    ContainerConfig config = container.config();
    spec.args(commandLine(config, container.image()));
    spec.cwd(workingDirectory(config, container.image()));
    spec.terminal(config.getTty());

    String hostname = container.pod().config().getHostname();
    spec.env("HOSTNAME", hostname.isEmpty() ? Files.readString(HOSTNAME).strip() : hostname);
    for (String variable : container.image().env()) {
      int equals = variable.indexOf('=');
      if (equals > 0) {
        spec.env(variable.substring(0, equals), variable.substring(equals + 1));
      }
    }
    for (KeyValue variable : config.getEnvsList()) {
      if (variable.getKey().isEmpty() || variable.getKey().indexOf('=') >= 0) {
        throw new InvalidRequestException(
            "an environment variable can't be named '%s'".formatted(variable.getKey()));
      }
      spec.env(variable.getKey(), variable.getValue().toStringUtf8());
    }
    spec.envIfAbsent("PATH", DEFAULT_PATH);
    if (config.getTty()) {
      spec.envIfAbsent("TERM", DEFAULT_TERM);
    }
  }

  /**
   * Kubernetes' rule: a command replaces entrypoint and cmd of the image, args alone replace its
   * cmd.
   *
   * @see <a
   *     href="https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/">
   *     the table in the documentation</a>
   */
  private static List<String> commandLine(ContainerConfig config, ImageDescription image) {
    List<String> line = new ArrayList<>();
    if (config.getCommandCount() > 0) {
      line.addAll(config.getCommandList());
      line.addAll(config.getArgsList());
    } else {
      // Images made by old builders reset an entrypoint with one empty string.
      if (!image.entrypoint().equals(List.of(""))) {
        line.addAll(image.entrypoint());
      }
      line.addAll(config.getArgsCount() > 0 ? config.getArgsList() : image.command());
    }
    if (line.isEmpty()) {
      throw new InvalidRequestException(
          "no command: neither the container %s nor its image %s has one"
              .formatted(config.getMetadata().getName(), config.getImage().getImage()));
    }
    return line;
  }

  private static String workingDirectory(ContainerConfig config, ImageDescription image) {
    String wanted =
        config.getWorkingDir().isEmpty() ? image.workingDirectory() : config.getWorkingDir();
    return wanted.startsWith("/") ? wanted : "/" + wanted;
  }
}
