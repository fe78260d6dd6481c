package io.keelson.image.registry.hosts;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * One host that serves a registry's content.
 *
 * @param address URL, or {@code host[:port]} with or without a path where no scheme is given;
 *     {@code ""} for the registry's own
 * @param capabilities what it may be asked for
 * @param headers sent with every request to it
 * @param overridePath the address' path is the root of the API as it stands, else {@code /v2} ends
 *     it
 * @param connectTimeout for a connection to come about, if the file says one
 */
public record HostSettings(
    String address,
    Set<Capability> capabilities,
    Map<String, String> headers,
    TlsFiles tls,
    boolean overridePath,
    Optional<Duration> connectTimeout) {

  public HostSettings {
    capabilities = Set.copyOf(capabilities);
    headers = Map.copyOf(headers);
  }

  /** A registry of which no file says anything. */
  public static HostSettings own(TlsFiles tls) {
    return new HostSettings(
        "", Set.of(Capability.values()), Map.of(), tls, false, Optional.empty());
  }
}
