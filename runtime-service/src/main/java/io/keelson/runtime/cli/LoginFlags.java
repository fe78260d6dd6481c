package io.keelson.runtime.cli;

import io.keelson.image.reference.ImageReference;
import io.keelson.image.registry.login.KeptCredentials;
import io.keelson.image.request.RegistryCredentials;
import io.keelson.proto.cri.v1.AuthConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** With which login an image is pulled: that of the person who types the command. */
final class LoginFlags {

  @Option(
      names = "--authfile",
      paramLabel = "FILE",
      description =
          "Logins to registries, as docker login and podman login keep them. Default:"
              + " $REGISTRY_AUTH_FILE, or podman's and docker's own files.")
  private @Nullable Path file;

  /** What is kept for the image's registry; the default if there is nothing. */
  AuthConfig of(String image) throws IOException {
    Optional<ImageReference> reference = ImageReference.tryParse(image);
    if (file != null && !Files.exists(file)) {
      throw CommandException.usage("there is no " + file);
    }
    if (reference.isEmpty()) {
      // The daemon says what is wrong with it.
      return AuthConfig.getDefaultInstance();
    }
    List<Path> files = file == null ? KeptCredentials.filesOf(System.getenv()) : List.of(file);
    return new KeptCredentials(files, System.getenv())
        .find(reference.get().domain(), reference.get().path())
        .map(credentials -> message(credentials, reference.get().domain()))
        .orElseGet(AuthConfig::getDefaultInstance);
  }

  private static AuthConfig message(RegistryCredentials credentials, String registry) {
    return AuthConfig.newBuilder()
        .setUsername(credentials.username())
        .setPassword(credentials.password())
        .setIdentityToken(credentials.identityToken())
        .setRegistryToken(credentials.registryToken())
        .setServerAddress(registry)
        .build();
  }
}
