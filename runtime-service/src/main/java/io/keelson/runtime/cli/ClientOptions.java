package io.keelson.runtime.cli;

import io.keelson.runtime.config.ConfigurationException;
import io.keelson.runtime.config.ConfigurationLoader;
import io.keelson.runtime.config.ConfigurationLoader.Overrides;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

/** How a command finds the daemon. */
@Command
final class ClientOptions {

  @ParentCommand private @Nullable KeelsonCommand keelson;

  CriClient connect() throws ConfigurationException {
    return CriClient.connect(socket());
  }

  private Path socket() throws ConfigurationException {
    Optional<Path> given = keelson == null ? Optional.empty() : keelson.socket();
    if (given.isPresent()) {
      return given.get();
    }
    String environment = System.getenv("KEELSON_SOCKET");
    return environment != null && !environment.isEmpty()
        ? Path.of(environment)
        : ConfigurationLoader.load(Overrides.none()).socket();
  }
}
