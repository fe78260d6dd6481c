package io.keelson.device.nic;

import io.keelson.linux.AtomicFile;
import io.keelson.proto.record.v1.LentInterface;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/** What is lent, on disk before it is lent. Safe for use by many threads. */
final class NicJournal {

  private final Path folder;
  private final Map<String, LentInterface> entries = new ConcurrentHashMap<>();

  private NicJournal(Path folder) {
    this.folder = folder;
  }

  static NicJournal open(Path folder) throws IOException {
    NicJournal journal = new NicJournal(Files.createDirectories(folder));
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        LentInterface entry = LentInterface.parseFrom(Files.readAllBytes(file));
        if (file.equals(journal.file(entry))) {
          journal.entries.put(key(entry), entry);
        } else {
          Files.delete(file); // a temporary file of a daemon that was killed
        }
      }
    }
    return journal;
  }

  /** On disk when it returns. */
  void write(LentInterface entry) throws IOException {
    AtomicFile.write(file(entry), entry.toByteArray(), true);
    entries.put(key(entry), entry);
  }

  void delete(LentInterface entry) throws IOException {
    Files.deleteIfExists(file(entry));
    entries.remove(key(entry));
  }

  Collection<LentInterface> all() {
    return List.copyOf(entries.values());
  }

  Optional<LentInterface> find(String resource, String deviceId) {
    return Optional.ofNullable(entries.get(resource + '\0' + deviceId));
  }

  private static String key(LentInterface entry) {
    return entry.getResource() + '\0' + entry.getDeviceId();
  }

  private Path file(LentInterface entry) {
    return folder.resolve(
        UUID.nameUUIDFromBytes(key(entry).getBytes(StandardCharsets.UTF_8)).toString());
  }
}
