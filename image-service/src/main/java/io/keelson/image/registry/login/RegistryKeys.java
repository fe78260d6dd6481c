package io.keelson.image.registry.login;

import io.keelson.image.reference.ImageReference;
import java.util.ArrayList;
import java.util.List;

/** How registries are named in files of credentials. */
final class RegistryKeys {

  private static final String HUB_URL = "https://index.docker.io/v1/";

  private RegistryKeys() {}

  /** Without scheme and version; docker's own registry has many names. */
  static String normal(String key) {
    String rest = key.strip().replaceFirst("^https?://", "").replaceFirst("/+$", "");
    rest = rest.replaceFirst("/v[12]$", "");
    int slash = rest.indexOf('/');
    String host = slash < 0 ? rest : rest.substring(0, slash);
    String path = slash < 0 ? "" : rest.substring(slash);
    return switch (host) {
      case "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com" ->
          ImageReference.DOCKER_HUB + path;
      default -> rest;
    };
  }

  /** The keys under which credentials for a repository may stand, the nearest first. */
  static List<String> of(String registry, String repository) {
    List<String> keys = new ArrayList<>();
    String key = normal(registry) + "/" + repository;
    while (true) {
      keys.add(key);
      int slash = key.lastIndexOf('/');
      if (slash < 0) {
        return keys;
      }
      key = key.substring(0, slash);
    }
  }

  /** What a credential helper is asked for. */
  static String serverUrl(String key) {
    return key.equals(ImageReference.DOCKER_HUB) ? HUB_URL : key;
  }
}
