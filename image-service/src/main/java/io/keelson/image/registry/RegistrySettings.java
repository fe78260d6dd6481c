package io.keelson.image.registry;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/**
 * How registries are reached.
 *
 * @param insecureRegistries {@code host} or {@code host:port} asked over plain HTTP
 * @param caFile certificates (PEM) that are trusted besides the system's
 * @param connectTimeout for a connection to come about
 * @param stallTimeout how long a connection may give nothing
 * @param attempts of a request before it is given up; a download counts only those since it last
 *     went on
 * @param firstPause before the second attempt; doubles with each
 */
public record RegistrySettings(
    Set<String> insecureRegistries,
    Optional<Path> caFile,
    Duration connectTimeout,
    Duration stallTimeout,
    int attempts,
    Duration firstPause) {

  public RegistrySettings {
    insecureRegistries = Set.copyOf(insecureRegistries);
  }

  public static RegistrySettings of(Set<String> insecureRegistries, Optional<Path> caFile) {
    return new RegistrySettings(
        insecureRegistries,
        caFile,
        Duration.ofSeconds(10),
        Duration.ofSeconds(30),
        5,
        Duration.ofMillis(200));
  }
}
