package io.keelson.image.registry.hosts;

import io.keelson.sandbox.tls.KeyFiles;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * The files of a host's TLS.
 *
 * @param authorities certificates (PEM) that are trusted besides the system's
 * @param clients certificates that are shown, each with its key
 * @param skipVerify whether any certificate is taken, of whatever name
 */
public record TlsFiles(List<Path> authorities, List<KeyFiles> clients, boolean skipVerify) {

  /** Nothing but what the system trusts. */
  public static final TlsFiles SYSTEM = new TlsFiles(List.of(), List.of(), false);

  public TlsFiles {
    authorities = List.copyOf(authorities);
    clients = List.copyOf(clients);
  }

  /** All files that are read. */
  public List<Path> files() {
    return Stream.concat(
            authorities.stream(),
            clients.stream().flatMap(client -> Stream.of(client.certificate(), client.key())))
        .distinct()
        .toList();
  }
}
