package io.keelson.image.store;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.keelson.image.manifest.ImageConfig;
import io.keelson.image.manifest.ManifestParser;
import io.keelson.image.reference.Digest;
import io.keelson.linux.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The images' files: a folder for each, with its config as it came and a record of its names. */
final class ImageRecords {

  private static final String CONFIG = "config.json";
  private static final String RECORD = "record.json";

  /** What file systems allocate at least for a file or a folder. */
  private static final long BLOCK = 4096;

  private static final Logger log = LoggerFactory.getLogger(ImageRecords.class);

  private final StoreFolders folders;
  private final ManifestParser parser = new ManifestParser();
  private final ObjectMapper json =
      new ObjectMapper().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

  ImageRecords(StoreFolders folders) {
    this.folders = folders;
  }

  record Loaded(ImageConfig config, ImageRecord record) {}

  /** All records that are whole, the last changed first; others are deleted. */
  List<Loaded> loadAll() throws IOException {
    List<Loaded> all = new ArrayList<>();
    List<Path> broken = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folders.images())) {
      for (Path entry : entries) {
        try {
          all.add(load(entry));
        } catch (IOException | RuntimeException e) {
          log.atWarn()
              .addKeyValue("image", entry.getFileName())
              .log("image dropped; pulling it again brings it back: {}", e.getMessage());
          broken.add(entry);
        }
      }
    }
    for (Path entry : broken) {
      folders.delete(folders.takeOut(entry), 0, 0);
    }
    all.sort(Comparator.comparingLong((Loaded loaded) -> loaded.record().changedAt()).reversed());
    return all;
  }

  private Loaded load(Path folder) throws IOException {
    ImageRecord record =
        json.readValue(Files.readAllBytes(folder.resolve(RECORD)), ImageRecord.class);
    ImageConfig config =
        parser.config(Files.readAllBytes(folder.resolve(CONFIG)), "config of " + record.id());
    if (!config.id().toString().equals(record.id()) || !folder.equals(folderOf(config.id()))) {
      throw new IOException("its config does not have the digest that is its id");
    }
    return new Loaded(config, record);
  }

  ImageRecord create(ImageConfig config, Collection<String> tags, Collection<String> digests)
      throws IOException {
    ImageRecord record =
        merge(new ImageRecord(config.id().toString(), List.of(), List.of(), 0), tags, digests);
    Path made = folders.newIngest();
    try {
      Files.write(made.resolve(CONFIG), config.json().getBytes(StandardCharsets.UTF_8));
      Files.write(made.resolve(RECORD), json.writeValueAsBytes(record));
      StoreFolders.publish(made, folderOf(config.id()));
    } catch (IOException e) {
      folders.discard(made);
      throw e;
    }
    return record;
  }

  ImageRecord merge(
      ImageRecord record, Collection<String> moreTags, Collection<String> moreDigests) {
    TreeSet<String> tags = new TreeSet<>(record.tags());
    tags.addAll(moreTags);
    TreeSet<String> digests = new TreeSet<>(record.digests());
    digests.addAll(moreDigests);
    long now = ChronoUnit.NANOS.between(Instant.EPOCH, Instant.now());
    return new ImageRecord(record.id(), List.copyOf(tags), List.copyOf(digests), now);
  }

  /**
   * Replaces a record; the old one is on the disk and must not be lost for nothing, so this waits
   * for it.
   */
  void rewrite(ImageRecord record) throws IOException {
    AtomicFile.write(
        folderOf(Digest.parse(record.id())).resolve(RECORD), json.writeValueAsBytes(record), true);
  }

  Path takeOut(Digest id) throws IOException {
    return folders.takeOut(folderOf(id));
  }

  void delete(Path taken) {
    folders.delete(taken, 0, 0);
  }

  /** What the files of one image take, beside its layers. */
  static StoreUsage usage(ImageConfig config) {
    long configBytes = (config.json().length() + BLOCK - 1) / BLOCK * BLOCK;
    return new StoreUsage(configBytes + 2 * BLOCK, 3);
  }

  void remove(Digest id) throws IOException {
    delete(takeOut(id));
  }

  private Path folderOf(Digest id) {
    return folders.images().resolve(id.hex());
  }
}
