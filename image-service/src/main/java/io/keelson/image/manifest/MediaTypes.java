package io.keelson.image.manifest;

/** Media types of manifests and what they point to. */
public final class MediaTypes {

  public static final String OCI_INDEX = "application/vnd.oci.image.index.v1+json";
  public static final String OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
  public static final String DOCKER_LIST =
      "application/vnd.docker.distribution.manifest.list.v2+json";
  public static final String DOCKER_MANIFEST =
      "application/vnd.docker.distribution.manifest.v2+json";

  /** What a registry is told when it is asked for a manifest. */
  public static final String ACCEPTED_MANIFESTS =
      String.join(", ", OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST);

  static final String EMPTY = "application/vnd.oci.empty.v1+json";
  static final String OCI_CONFIG = "application/vnd.oci.image.config.v1+json";
  static final String DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json";

  private MediaTypes() {}

  static boolean isManifest(String mediaType) {
    return mediaType.equals(OCI_MANIFEST) || mediaType.equals(DOCKER_MANIFEST);
  }

  static boolean isIndex(String mediaType) {
    return mediaType.equals(OCI_INDEX) || mediaType.equals(DOCKER_LIST);
  }

  /** Some tools leave the config's type out or call it octets; what it is shows when it is read. */
  static boolean isImageConfig(String mediaType) {
    return mediaType.isEmpty()
        || mediaType.equals(OCI_CONFIG)
        || mediaType.equals(DOCKER_CONFIG)
        || mediaType.equals("application/octet-stream");
  }
}
