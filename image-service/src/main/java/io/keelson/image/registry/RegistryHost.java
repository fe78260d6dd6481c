package io.keelson.image.registry;

import io.keelson.image.reference.ImageReference;
import java.net.URI;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Where a registry is asked.
 *
 * @param domain the registry's name in references
 * @param base scheme, host and port; paths of the API follow it
 */
record RegistryHost(String domain, URI base) {

  /**
   * @param wantsTls asked of registries on the loopback alone
   */
  static RegistryHost of(
      String domain, Set<String> insecureRegistries, Predicate<String> wantsTls) {
    String authority = domain.equals(ImageReference.DOCKER_HUB) ? "registry-1.docker.io" : domain;
    boolean plain =
        isListed(domain, insecureRegistries) || (isLoopback(domain) && !wantsTls.test(domain));
    return new RegistryHost(domain, URI.create((plain ? "http://" : "https://") + authority));
  }

  boolean isPlain() {
    return base.getScheme().equals("http");
  }

  URI manifest(String repository, String identifier) {
    return base.resolve("/v2/" + repository + "/manifests/" + identifier);
  }

  URI blob(String repository, String digest) {
    return base.resolve("/v2/" + repository + "/blobs/" + digest);
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
