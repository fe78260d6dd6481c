package io.keelson.runtime.cli;

import io.keelson.runtime.config.Configuration;
import io.keelson.runtime.config.ConfigurationException;
import io.keelson.runtime.config.ConfigurationLoader;
import io.keelson.runtime.config.ConfigurationLoader.Overrides;
import io.keelson.runtime.daemon.Daemon;
import io.keelson.runtime.daemon.ServiceManager;
import io.keelson.runtime.daemon.StartException;
import io.keelson.runtime.logging.Logging;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code keelson serve}: the daemon. */
@Command(
    name = "serve",
    description = {
      "Runs the daemon until it gets SIGTERM or SIGINT. Containers go on without it, and the next"
          + " daemon takes them over.",
    })
final class ServeCommand implements Callable<Integer> {

  @Option(
      names = {"-c", "--config"},
      paramLabel = "FILE",
      description = "The configuration. Default: /etc/keelson/config.toml, if it is there.")
  private @Nullable Path config;

  @Option(
      names = "--root",
      paramLabel = "DIR",
      description = "Instead of the configuration's root folder.")
  private @Nullable Path root;

  @Option(
      names = "--state",
      paramLabel = "DIR",
      description = "Instead of the configuration's state folder.")
  private @Nullable Path state;

  @Spec private @Nullable CommandSpec command;

  @Override
  public Integer call()
      throws ConfigurationException, IOException, StartException, InterruptedException {
    Configuration configuration =
        ConfigurationLoader.load(
            new Overrides(
                absolute(config),
                absolute(root),
                absolute(state),
                KeelsonCommand.of(Objects.requireNonNull(command)).socket()));
    Logging.configure(configuration.log().level(), configuration.log().format());
    ServiceManager manager =
        new ServiceManager(Optional.ofNullable(System.getenv("NOTIFY_SOCKET")));
    AtomicReference<@Nullable Daemon> daemon = new AtomicReference<>();
    Thread onSignal = new Thread(() -> end(daemon.get(), manager), "shutdown");
    Runtime.getRuntime().addShutdownHook(onSignal);
    try {
      daemon.set(Daemon.start(configuration));
    } catch (IOException | StartException | RuntimeException | Error e) {
      Runtime.getRuntime().removeShutdownHook(onSignal);
      throw e;
    }
    manager.ready();
    new CountDownLatch(1).await(); // a signal ends the process
    return ExitCode.OK;
  }

  /** Being told to end is no failure, though the JVM would answer 128 + the signal. */
  private static void end(@Nullable Daemon daemon, ServiceManager manager) {
    manager.stopping();
    if (daemon != null) {
      daemon.close();
    } // else it is still starting, and may be ended at any instruction
    Runtime.getRuntime().halt(ExitCode.OK);
  }

  private static Optional<Path> absolute(@Nullable Path path) {
    return Optional.ofNullable(path).map(p -> p.toAbsolutePath().normalize());
  }
}
