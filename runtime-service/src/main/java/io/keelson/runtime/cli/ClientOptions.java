package io.keelson.runtime.cli;

import io.keelson.runtime.config.ConfigurationException;
import io.keelson.runtime.config.ConfigurationLoader;
import io.keelson.runtime.config.ConfigurationLoader.Overrides;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** How a command finds the daemon. */
@Command
final class ClientOptions {

  @Spec(Spec.Target.MIXEE)
  private @Nullable CommandSpec command;

  CriClient connect() throws ConfigurationException {
    return CriClient.connect(socket());
  }

  private Path socket() throws ConfigurationException {
    Optional<Path> given = KeelsonCommand.of(Objects.requireNonNull(command)).socket();
    if (given.isPresent()) {
      return given.get();
    }
    String environment = System.getenv("KEELSON_SOCKET");
    return environment != null && !environment.isEmpty()
        ? Path.of(environment)
        : ConfigurationLoader.load(Overrides.none()).socket();
  }
}
