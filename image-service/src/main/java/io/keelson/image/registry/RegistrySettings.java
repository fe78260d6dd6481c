package io.keelson.image.registry;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * How registries are reached.
 *
 * @param insecureRegistries {@code host} or {@code host:port} asked over plain HTTP
 * @param hostsFolders where {@code HOST[:PORT]/hosts.toml} are looked for, in this order
 * @param caFile certificates (PEM) that are trusted besides the system's
 * @param authFiles credentials for pulls that bring none, in docker's or podman's form
 * @param environment of the process: what it says of proxies, and credential helpers run in it
 * @param connectTimeout for a connection to come about
 * @param stallTimeout how long a connection may give nothing
 * @param connectionsPerLayer over which a large layer may be fetched at the same time
 * @param attempts of a request before it is given up; a download counts only those since it last
 *     went on
 * @param firstPause before the second attempt; doubles with each
 */
public record RegistrySettings(
    Set<String> insecureRegistries,
    Optional<Path> caFile,
    List<Path> hostsFolders,
    List<Path> authFiles,
    Map<String, String> environment,
    Duration connectTimeout,
    Duration stallTimeout,
    int connectionsPerLayer,
    int attempts,
    Duration firstPause) {

  public RegistrySettings {
    insecureRegistries = Set.copyOf(insecureRegistries);
    hostsFolders = List.copyOf(hostsFolders);
    authFiles = List.copyOf(authFiles);
    environment = Map.copyOf(environment);
  }

  /** With the usual patience, and the environment of this process. */
  public static RegistrySettings of(
      Set<String> insecureRegistries,
      Optional<Path> caFile,
      List<Path> hostsFolders,
      List<Path> authFiles) {
    return new RegistrySettings(
        insecureRegistries,
        caFile,
        hostsFolders,
        authFiles,
        System.getenv(),
        Duration.ofSeconds(10),
        Duration.ofSeconds(30),
        4,
        5,
        Duration.ofMillis(200));
  }

  /** The same with another patience and other connections. */
  public RegistrySettings with(Duration otherStallTimeout, int otherConnectionsPerLayer) {
    return copy(environment, otherStallTimeout, otherConnectionsPerLayer, firstPause);
  }

  /** The same with another pause before the second attempt. */
  public RegistrySettings withFirstPause(Duration otherFirstPause) {
    return copy(environment, stallTimeout, connectionsPerLayer, otherFirstPause);
  }

  /** The same in another environment. */
  public RegistrySettings with(Map<String, String> otherEnvironment) {
    return copy(otherEnvironment, stallTimeout, connectionsPerLayer, firstPause);
  }

  private RegistrySettings copy(
      Map<String, String> otherEnvironment,
      Duration otherStallTimeout,
      int otherConnectionsPerLayer,
      Duration otherFirstPause) {
    return new RegistrySettings(
        insecureRegistries,
        caFile,
        hostsFolders,
        authFiles,
        otherEnvironment,
        connectTimeout,
        otherStallTimeout,
        otherConnectionsPerLayer,
        attempts,
        otherFirstPause);
  }
}
