package io.keelson.image.store;

import io.keelson.image.reference.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Blobs that are kept, from which a layer can be made again without its registry: those beside
 * layers, and those of layers that were found broken at the start. The latter stay until they are
 * used, or until the next start. Nothing here is checked; who reads it compares the digest. Safe
 * for use by many threads.
 */
public final class KeptBlobs {

  private static final Logger LOG = LoggerFactory.getLogger(KeptBlobs.class);

  private final Path salvaged;
  private final Map<Path, Digest> places = new ConcurrentHashMap<>();

  /**
   * Forgets what an earlier run has salvaged.
   *
   * @param salvaged a folder
   */
  KeptBlobs(Path salvaged) throws IOException {
    this.salvaged = salvaged;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(salvaged)) {
      for (Path file : files) {
        Files.delete(file);
      }
    }
  }

  /**
   * Opens a blob; the stream stays good when the blob is removed.
   *
   * @return empty if it is not kept
   */
  public Optional<InputStream> open(Digest digest) throws IOException {
    List<Path> all =
        places.entrySet().stream()
            .filter(place -> place.getValue().equals(digest))
            .map(Map.Entry::getKey)
            .toList();
    for (Path place : all) {
      try {
        return Optional.of(Files.newInputStream(place));
      } catch (NoSuchFileException e) {
        places.remove(place); // its layer has gone
      }
    }
    return Optional.empty();
  }

  /** It does not have its digest. Beside a layer it stays, for a check to find. */
  public void distrust(Digest digest) throws IOException {
    places.values().removeIf(digest::equals);
    Files.deleteIfExists(place(digest));
  }

  /** A layer has become part of the store, perhaps with its blob. */
  void published(Digest digest, Path layer) throws IOException {
    Path salvage = place(digest);
    if (places.remove(salvage) != null) {
      Files.deleteIfExists(salvage);
    }
    Path blob = layer.resolve(LayersOnDisk.BLOB);
    if (Files.exists(blob)) {
      places.put(blob, digest);
    }
  }

  void removed(Path layer) {
    places.remove(layer.resolve(LayersOnDisk.BLOB));
  }

  /** Keeps the blob of a layer that is to be dropped. */
  void salvage(Digest digest, Path layer) throws IOException {
    Path blob = layer.resolve(LayersOnDisk.BLOB);
    if (Files.exists(blob)) {
      Path place = place(digest);
      Files.move(blob, place, StandardCopyOption.REPLACE_EXISTING);
      places.put(place, digest);
      LOG.atInfo().addKeyValue("blob", digest).log("the blob of a dropped layer is still there");
    }
  }

  private Path place(Digest digest) {
    return salvaged.resolve(digest.hex());
  }

  /** What those take that belong to no layer. */
  long bytes() {
    long bytes = 0;
    for (Path place : places.keySet()) {
      if (place.startsWith(salvaged)) {
        bytes += place.toFile().length();
      }
    }
    return bytes;
  }
}
