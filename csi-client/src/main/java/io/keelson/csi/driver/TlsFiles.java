package io.keelson.csi.driver;

import java.nio.file.Path;
import java.util.Optional;

/**
 * What TLS to a driver needs, in PEM files; they are read when the daemon starts and, when they
 * have changed, for the next connection.
 *
 * @param authority certificates that are trusted; empty for those that the system trusts
 * @param certificate the daemon's own, if drivers ask for one
 * @param key of that certificate
 */
public record TlsFiles(Optional<Path> authority, Optional<Path> certificate, Optional<Path> key) {

  public static final TlsFiles NONE =
      new TlsFiles(Optional.empty(), Optional.empty(), Optional.empty());
}
