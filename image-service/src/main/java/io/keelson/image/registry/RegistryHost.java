package io.keelson.image.registry;

import io.keelson.image.reference.ImageReference;
import io.keelson.image.registry.hosts.Capability;
import io.keelson.image.registry.hosts.HostSettings;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * One host that is asked for a registry's content: the registry itself or a mirror of it.
 *
 * @param domain the registry's name in references
 * @param api root of the API, {@code https://host/v2}
 * @param origin whether it is the registry itself and no mirror of it
 * @param headers sent with every request
 */
record RegistryHost(
    String domain,
    URI api,
    boolean origin,
    Set<Capability> capabilities,
    Map<String, String> headers) {

  private static final String HUB_HOST = "registry-1.docker.io";
  private static final String VERSION = "/v2";

  /**
   * @param insecureRegistries asked over plain HTTP where no scheme is given
   * @param wantsTls asked of hosts on the loopback alone, where no scheme is given
   * @throws IOException if the settings name no host
   */
  static RegistryHost of(
      String domain,
      HostSettings settings,
      boolean origin,
      Set<String> insecureRegistries,
      Predicate<String> wantsTls)
      throws IOException {
    String own = own(domain);
    String address = settings.address().isEmpty() ? own : settings.address();
    if (!address.contains("://")) {
      String authority = address.split("/", 2)[0];
      // What is said of docker.io is meant for its host.
      String named = authority.equals(own) ? domain : authority;
      boolean plain =
          isListed(named, insecureRegistries)
              || (isLoopback(authority) && !wantsTls.test(authority));
      address = (plain ? "http://" : "https://") + address;
    }
    URI uri = parsed(address, domain);
    return new RegistryHost(
        domain,
        URI.create(
            uri.getScheme()
                + "://"
                + uri.getRawAuthority()
                + path(uri.getRawPath(), settings.overridePath())),
        origin,
        settings.capabilities(),
        settings.headers());
  }

  private static String own(String domain) {
    return domain.equals(ImageReference.DOCKER_HUB) ? HUB_HOST : domain;
  }

  private static URI parsed(String address, String domain) throws IOException {
    try {
      URI uri = new URI(address);
      if (uri.getHost() != null
          && uri.getRawUserInfo() == null
          && ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))) {
        return uri;
      }
    } catch (URISyntaxException e) {
      // As if it were no address of a web server.
    }
    throw new IOException("no address of a host of registry " + domain + ": " + address);
  }

  private static String path(String path, boolean override) {
    String clean = path.replaceAll("/+", "/").replaceAll("/$", "");
    return override || clean.endsWith(VERSION) ? clean : clean + VERSION;
  }

  boolean isPlain() {
    return api.getScheme().equals("http");
  }

  /** Host and port as in the address. */
  String authority() {
    return api.getRawAuthority();
  }

  URI manifest(String repository, String identifier) {
    return uri("/" + repository + "/manifests/" + identifier);
  }

  URI blob(String repository, String digest) {
    return uri("/" + repository + "/blobs/" + digest);
  }

  /** A host that serves several registries is told which one is meant. */
  private URI uri(String path) {
    boolean other = !authority().equals(own(domain));
    String query = other ? "?ns=" + URLEncoder.encode(domain, StandardCharsets.UTF_8) : "";
    return URI.create(api + path + query);
  }

  static String hostOf(String domain) {
    int colon = domain.lastIndexOf(':');
    return colon > domain.lastIndexOf(']') ? domain.substring(0, colon) : domain;
  }

  private static boolean isListed(String domain, Set<String> registries) {
    return registries.contains(domain) || registries.contains(hostOf(domain));
  }

  // Numbers only: a name that resolves to the loopback could resolve to anything tomorrow.
  private static boolean isLoopback(String domain) {
    String host = hostOf(domain);
    return host.equals("localhost")
        || host.equals("[::1]")
        || host.matches("127\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}");
  }
}
