package io.keelson.image.registry.hosts;

import io.keelson.sandbox.tls.KeyFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Finds what the node's owner has written of a registry: {@code DIR/HOST[:PORT]/hosts.toml}, or
 * docker's folder of certificates in its place; {@code DIR/_default} for registries that have no
 * folder. Files are read at each pull, so that a change needs no restart. Safe for use by many
 * threads.
 */
public final class HostsFolders {

  private static final String DEFAULT = "_default";
  private static final String FILE = "hosts.toml";

  private final List<Path> folders;

  /**
   * @param folders looked into in this order; those that are not there are passed over
   */
  public HostsFolders(List<Path> folders) {
    this.folders = List.copyOf(folders);
  }

  /**
   * The hosts to ask, in their order, the registry's own server last; that alone if nothing is
   * written.
   *
   * @param domain the registry as it stands in references, {@code host} or {@code host:port}
   * @throws IOException if a file can't be read or understood
   */
  public List<HostSettings> of(String domain) throws IOException {
    for (String name : List.of(withoutColon(domain), domain, DEFAULT)) {
      for (Path folder : folders) {
        Path candidate = folder.resolve(name);
        if (Files.isDirectory(candidate)) {
          return read(candidate);
        }
      }
    }
    return List.of(HostSettings.own(TlsFiles.SYSTEM));
  }

  /** {@code host_port_}, for file systems that know no colon. */
  private static String withoutColon(String domain) {
    int colon = domain.lastIndexOf(':');
    return colon > domain.lastIndexOf(']')
        ? domain.substring(0, colon) + "_" + domain.substring(colon + 1) + "_"
        : domain;
  }

  private static List<HostSettings> read(Path folder) throws IOException {
    Path file = folder.resolve(FILE);
    try {
      return HostsFile.parse(file, Files.readString(file));
    } catch (NoSuchFileException e) {
      return List.of(HostSettings.own(dockerCertificates(folder)));
    } catch (java.nio.charset.CharacterCodingException e) {
      throw new IOException(file + " is not UTF-8", e);
    }
  }

  /** Docker's layout: {@code *.crt} are authorities, {@code X.cert} and {@code X.key} a client. */
  private static TlsFiles dockerCertificates(Path folder) throws IOException {
    List<Path> files;
    try (Stream<Path> entries = Files.list(folder)) {
      files = entries.sorted().toList();
    }
    List<Path> authorities = new ArrayList<>();
    List<KeyFiles> clients = new ArrayList<>();
    for (Path file : files) {
      String name = file.getFileName().toString();
      if (name.endsWith(".crt")) {
        authorities.add(file);
      } else if (name.endsWith(".cert")) {
        Path key = folder.resolve(name.substring(0, name.length() - 5) + ".key");
        if (!files.contains(key)) {
          throw new IOException(file + " has no " + key.getFileName() + " beside it");
        }
        clients.add(new KeyFiles(file, key));
      }
    }
    return new TlsFiles(authorities, clients, false);
  }
}
