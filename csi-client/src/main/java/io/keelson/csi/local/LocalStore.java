package io.keelson.csi.local;

import io.keelson.proto.record.v1.LocalVolumeRecord;
import io.keelson.sandbox.RecordStore;
import io.keelson.sandbox.RecordStore.Durability;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The volumes and snapshots of the local driver: a folder for each, with the record and the
 * content. Calls for one id never overlap: the second one is aborted.
 */
final class LocalStore {

  private static final Logger LOG = LoggerFactory.getLogger(LocalStore.class);
  private static final int ID_DIGITS = 32;

  private final Path root;
  private final Shelf volumes;
  private final Shelf snapshots;
  private final Set<String> busy = ConcurrentHashMap.newKeySet();

  LocalStore(Path root) throws IOException {
    this.root = Files.createDirectories(root);
    this.volumes = new Shelf(root.resolve("volumes"), "vol-");
    this.snapshots = new Shelf(root.resolve("snapshots"), "snap-");
  }

  Path root() {
    return root;
  }

  Shelf volumes() {
    return volumes;
  }

  Shelf snapshots() {
    return snapshots;
  }

  /** Holds an id for the length of a call. */
  Held hold(String id) {
    if (!busy.add(id)) {
      throw Failures.aborted("another call for " + id + " is under way");
    }
    return () -> busy.remove(id);
  }

  /** Gives the id free. */
  @FunctionalInterface
  interface Held extends AutoCloseable {
    @Override
    void close();
  }

  /** Records of one kind. Safe for use by many threads. */
  static final class Shelf {

    private final Path folder;
    private final String prefix;
    private final RecordStore<LocalVolumeRecord> records;
    private final Map<String, LocalVolumeRecord> known = new ConcurrentSkipListMap<>();

    Shelf(Path folder, String prefix) throws IOException {
      this.folder = folder;
      this.prefix = prefix;
      this.records = new RecordStore<>(folder, LocalVolumeRecord.parser());
      RecordStore.Found<LocalVolumeRecord> found = records.loadAll();
      known.putAll(found.whole());
      found
          .broken()
          .forEach(
              (id, why) ->
                  LOG.atError()
                      .addKeyValue("id", id)
                      .addKeyValue("why", why)
                      .log("a record can't be read; its folder is left alone"));
    }

    /** The id of what has this name; ids follow from names, so that a retry finds the first try. */
    String idOf(String name) {
      try {
        byte[] digest =
            MessageDigest.getInstance("SHA-256").digest(name.getBytes(StandardCharsets.UTF_8));
        return prefix + HexFormat.of().formatHex(digest).substring(0, ID_DIGITS);
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException("every Java has SHA-256", e);
      }
    }

    Optional<LocalVolumeRecord> find(String id) {
      return Optional.ofNullable(known.get(id));
    }

    LocalVolumeRecord get(String id) {
      return find(id).orElseThrow(() -> Failures.notFound("there is no " + id));
    }

    /** In the order of their ids. */
    Collection<LocalVolumeRecord> all() {
      return List.copyOf(known.values());
    }

    void save(LocalVolumeRecord record) throws IOException {
      records.save(record.getId(), record, Durability.POWER);
      known.put(record.getId(), record);
    }

    void delete(String id) throws IOException {
      known.remove(id);
      records.delete(id);
    }

    /** The content of a folder volume. */
    Path data(String id) {
      return folder.resolve(id).resolve("data");
    }

    /** The content of an image volume. */
    Path image(String id) {
      return folder.resolve(id).resolve("image");
    }

    Path content(LocalVolumeRecord record) {
      return switch (record.getLayout()) {
        case LAYOUT_FOLDER -> data(record.getId());
        case LAYOUT_IMAGE, UNRECOGNIZED -> image(record.getId());
      };
    }
  }
}
