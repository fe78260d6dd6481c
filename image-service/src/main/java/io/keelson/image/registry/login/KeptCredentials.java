package io.keelson.image.registry.login;

import io.keelson.image.request.RegistryCredentials;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Credentials that are kept in files and by credential helpers. Files are read at each call, so
 * that a login needs no restart. Safe for use by many threads.
 */
public final class KeptCredentials {

  private static final Duration HELPER_DEADLINE = Duration.ofSeconds(15);

  private final List<Path> files;
  private final CredentialHelper helper;

  /**
   * @param files in docker's or podman's form, the first that knows a registry decides; those that
   *     are not there are passed over
   * @param environment of credential helpers, which are looked for in its PATH
   */
  public KeptCredentials(List<Path> files, Map<String, String> environment) {
    this(files, environment, HELPER_DEADLINE);
  }

  KeptCredentials(List<Path> files, Map<String, String> environment, Duration helperDeadline) {
    this.files = List.copyOf(files);
    this.helper = new CredentialHelper(environment, helperDeadline);
  }

  /**
   * The files of a person: what {@code REGISTRY_AUTH_FILE} names, or else podman's, then docker's.
   */
  public static List<Path> filesOf(Map<String, String> environment) {
    String named = environment.getOrDefault("REGISTRY_AUTH_FILE", "");
    if (!named.isEmpty()) {
      return List.of(Path.of(named));
    }
    List<Path> files = new ArrayList<>();
    variable(environment, "XDG_RUNTIME_DIR")
        .ifPresent(folder -> files.add(folder.resolve("containers/auth.json")));
    Optional<Path> home = variable(environment, "HOME");
    variable(environment, "XDG_CONFIG_HOME")
        .or(() -> home.map(folder -> folder.resolve(".config")))
        .ifPresent(folder -> files.add(folder.resolve("containers/auth.json")));
    variable(environment, "DOCKER_CONFIG")
        .or(() -> home.map(folder -> folder.resolve(".docker")))
        .ifPresent(folder -> files.add(folder.resolve("config.json")));
    return files;
  }

  private static Optional<Path> variable(Map<String, String> environment, String name) {
    return Optional.of(environment.getOrDefault(name, ""))
        .filter(value -> !value.isEmpty())
        .map(Path::of);
  }

  /**
   * What is kept for a repository; entries for a part of a registry go before those for all of it.
   *
   * @param registry {@code host[:port]}
   * @param repository path in the registry
   * @throws IOException if a file can't be read or a helper fails
   */
  public Optional<RegistryCredentials> find(String registry, String repository) throws IOException {
    List<String> keys = RegistryKeys.of(registry, repository);
    for (Path path : files) {
      if (Files.exists(path)) {
        Optional<RegistryCredentials> found = find(AuthFile.read(path), keys);
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return Optional.empty();
  }

  private Optional<RegistryCredentials> find(AuthFile file, List<String> keys) throws IOException {
    for (String key : keys) {
      Optional<String> program = file.helper(key);
      Optional<RegistryCredentials> found =
          program.isPresent()
              ? helper.get(program.get(), RegistryKeys.serverUrl(key))
              : file.entry(key);
      if (found.isPresent()) {
        return found;
      }
    }
    // A store is asked for whole registries only, and after the file, which costs nothing.
    return file.store().isPresent()
        ? helper.get(file.store().get(), RegistryKeys.serverUrl(keys.getLast()))
        : Optional.empty();
  }
}
