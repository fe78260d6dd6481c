package io.keelson.runtime.cli;

import io.keelson.runtime.config.ConfigurationException;
import io.keelson.runtime.config.ConfigurationLoader;
import io.keelson.runtime.config.ConfigurationLoader.Overrides;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How a command finds the daemon. */
final class ClientOptions {

  @Option(
      names = "--socket",
      paramLabel = "PATH",
      description =
          "The daemon's socket. Default: $KEELSON_SOCKET, else what the configuration says"
              + " (/run/keelson/keelson.sock).")
  private @Nullable Path socket;

  CriClient connect() throws ConfigurationException {
    return CriClient.connect(socket());
  }

  private Path socket() throws ConfigurationException {
    if (socket != null) {
      return socket.toAbsolutePath();
    }
    String environment = System.getenv("KEELSON_SOCKET");
    return environment != null && !environment.isEmpty()
        ? Path.of(environment)
        : ConfigurationLoader.load(Overrides.none()).socket();
  }
}
