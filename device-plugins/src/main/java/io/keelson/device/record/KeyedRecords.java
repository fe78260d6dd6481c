package io.keelson.device.record;

import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.keelson.sandbox.RecordStore;
import io.keelson.sandbox.RecordStore.Durability;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Records of one kind by a key that may hold all kinds of characters, in memory as on disk. A
 * change is on disk before it is seen; reads never wait for the disk. Safe for use by many threads
 * as long as one key has one writer at a time.
 */
public final class KeyedRecords<R extends MessageLite> {

  private static final Logger log = LoggerFactory.getLogger(KeyedRecords.class);

  private final RecordStore<R> store;
  private final Function<R, String> key;
  private final Map<String, R> byKey = new ConcurrentHashMap<>();

  private KeyedRecords(RecordStore<R> store, Function<R, String> key) {
    this.store = store;
    this.key = key;
  }

  /**
   * Reads what an earlier life of the daemon wrote. What can't be read is told and forgotten: it
   * must not keep the daemon from starting.
   *
   * @param key of a record; never changes while the record is kept
   */
  public static <R extends MessageLite> KeyedRecords<R> open(
      Path folder, Parser<R> parser, Function<R, String> key) throws IOException {
    KeyedRecords<R> records = new KeyedRecords<>(new RecordStore<>(folder, parser), key);
    RecordStore.Found<R> found = records.store.loadAll();
    found.whole().values().forEach(record -> records.byKey.put(key.apply(record), record));
    for (Map.Entry<String, String> broken : found.broken().entrySet()) {
      log.atError()
          .addKeyValue("record", folder.resolve(broken.getKey()))
          .log("a record is broken and forgotten: {}", broken.getValue());
      records.store.delete(broken.getKey());
    }
    return records;
  }

  /** All at one moment or the next. */
  public Collection<R> all() {
    return List.copyOf(byKey.values());
  }

  public Optional<R> find(String text) {
    return Optional.ofNullable(byKey.get(text));
  }

  /** On disk when it returns, also after a power cut. */
  public R put(R record) throws IOException {
    String text = key.apply(record);
    store.save(id(text), record, Durability.POWER);
    byKey.put(text, record);
    return record;
  }

  /** Harmless if it is not there. */
  public void remove(R record) throws IOException {
    String text = key.apply(record);
    store.delete(id(text));
    byKey.remove(text);
  }

  private static String id(String text) {
    return UUID.nameUUIDFromBytes(text.getBytes(StandardCharsets.UTF_8)).toString();
  }
}
