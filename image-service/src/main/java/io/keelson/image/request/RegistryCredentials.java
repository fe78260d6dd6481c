package io.keelson.image.request;

/**
 * What a caller gave to be known by a registry: the fields of CRI's {@code AuthConfig}, {@code ""}
 * where not given.
 *
 * @param username for basic authentication, and for asking a token server
 * @param password goes with {@code username}
 * @param auth base64 of {@code username:password}, instead of the two
 * @param serverAddress if given, the credentials are for this registry alone and are sent to no
 *     other
 * @param identityToken a refresh token for the registry's token server (OAuth 2)
 * @param registryToken a bearer token, sent as it is
 */
public record RegistryCredentials(
    String username,
    String password,
    String auth,
    String serverAddress,
    String identityToken,
    String registryToken) {

  /** Nobody in particular. */
  public static final RegistryCredentials ANONYMOUS =
      new RegistryCredentials("", "", "", "", "", "");

  /** Credentials of a name and its password, for whichever registry is asked. */
  public static RegistryCredentials of(String username, String password) {
    return new RegistryCredentials(username, password, "", "", "", "");
  }

  public boolean isAnonymous() {
    return username.isEmpty()
        && password.isEmpty()
        && auth.isEmpty()
        && identityToken.isEmpty()
        && registryToken.isEmpty();
  }

  /** Tells nothing that is secret. */
  @Override
  public String toString() {
    return isAnonymous() ? "anonymous" : "credentials of " + (username.isEmpty() ? "?" : username);
  }
}
