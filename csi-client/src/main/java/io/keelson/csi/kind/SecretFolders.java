package io.keelson.csi.kind;

import io.keelson.csi.driver.Redaction;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.KeelsonException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The secrets that an administrator has put on the node: a folder for each, in it a file for each
 * key. They are read when they are needed and kept nowhere. Safe for use by many threads.
 */
public final class SecretFolders {

  private static final Pattern NAME =
      Pattern.compile("[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?");
  private static final long MAX_BYTES = 1 << 20;

  private final Optional<Path> top;

  /**
   * @param top empty if the configuration names no folder
   */
  public SecretFolders(Optional<Path> top) {
    this.top = top;
  }

  /** For a driver: keys and values; empty for the empty name. */
  public Map<String, String> text(String name) throws IOException {
    Map<String, String> text = new TreeMap<>();
    if (!name.isEmpty()) {
      read(name).forEach((key, value) -> text.put(key, new String(value, StandardCharsets.UTF_8)));
    }
    return text;
  }

  /** To be kept out of what a driver says that had the secret before; empty if it is not there. */
  public Redaction redaction(String name) {
    try {
      return Redaction.of(text(name).values());
    } catch (IOException | KeelsonException e) {
      return Redaction.NONE;
    }
  }

  /**
   * @throws FailedPreconditionException if there is no such folder
   */
  Map<String, byte[]> read(String name) throws IOException {
    if (!NAME.matcher(name).matches()) {
      throw new InvalidRequestException("\"" + name + "\" is no name of a folder of secrets");
    }
    Path folder =
        top.orElseThrow(
                () ->
                    new FailedPreconditionException(
                        "secret " + name + ": the configuration has no volumes.secrets_dir"))
            .resolve(name);
    Map<String, byte[]> files = new TreeMap<>();
    long left = MAX_BYTES;
    try (Stream<Path> entries = Files.list(folder)) {
      for (Path file : (Iterable<Path>) entries::iterator) {
        String key = String.valueOf(file.getFileName());
        if (key.startsWith(".") || !Files.isRegularFile(file)) {
          continue; // as where a secret is swapped by a link
        }
        left -= Files.size(file);
        if (left < 0) {
          throw new FailedPreconditionException(
              "secret " + name + " has more than " + MAX_BYTES + " bytes");
        }
        files.put(key, Files.readAllBytes(file));
      }
    } catch (NoSuchFileException | NotDirectoryException e) {
      throw new FailedPreconditionException("there is no folder " + folder, e);
    }
    return files;
  }
}
