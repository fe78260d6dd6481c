package io.keelson.sandbox;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.keelson.linux.AtomicFile;
import io.keelson.sandbox.error.ResourceExhaustedException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * The records of one kind: {@code DIRECTORY/ID/record}, each a check sum and a protobuf message. A
 * reader finds a record whole, old or new, whatever moment the daemon or the machine stopped at.
 * Safe for use by many threads as long as one id has one writer at a time.
 */
public final class RecordStore<R extends MessageLite> {

  /**
   * What a start finds.
   *
   * @param whole the records that read well, by id
   * @param broken why the others don't, by id
   * @param unwritten those of the broken that were never written, or were being deleted: nothing
   *     stands behind them
   */
  public record Found<R>(Map<String, R> whole, Map<String, String> broken, Set<String> unwritten) {}

  /** How much a write must survive. */
  public enum Durability {
    /** The end of the daemon: the kernel has it. */
    DAEMON,
    /**
     * The end of the machine's power some moment later: the kernel has it, the disk gets it behind
     * the caller's back. For what a start after a power cut can do without, since the pod's
     * processes and namespaces are gone too.
     */
    POWER_SOON,
    /** The end of the machine's power: the disk has it. */
    POWER
  }

  private static final String FILE = "record";
  private static final int CHECKSUM_BYTES = Integer.BYTES;

  private final Path directory;
  private final Parser<R> parser;
  private final LateSync lateSync = new LateSync();

  public RecordStore(Path directory, Parser<R> parser) throws IOException {
    this.directory = Files.createDirectories(directory);
    this.parser = parser;
  }

  /** Writes the record in place of an older one. */
  public void save(String id, R record, Durability durability) throws IOException {
    Path folder = directory.resolve(id);
    Path file = folder.resolve(FILE);
    try {
      if (!Files.exists(folder)) {
        Files.createDirectories(folder);
      }
      AtomicFile.write(file, encode(record), durability == Durability.POWER);
      if (durability == Durability.POWER_SOON) {
        lateSync.add(file);
      }
    } catch (IOException e) {
      if (DiskFull.isCause(e)) {
        throw new ResourceExhaustedException(
            "disk full: the record of "
                + id
                + " can't be written to "
                + folder
                + ": "
                + e.getMessage(),
            e);
      }
      throw e;
    }
  }

  /** Deletes a record; needs no free disk space. Harmless if there is none. */
  public void delete(String id) throws IOException {
    FileTrees.delete(directory.resolve(id));
  }

  public Optional<R> load(String id) throws IOException {
    try {
      return Optional.of(decode(Files.readAllBytes(directory.resolve(id).resolve(FILE))));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  public Found<R> loadAll() throws IOException {
    Map<String, R> whole = new LinkedHashMap<>();
    Map<String, String> broken = new LinkedHashMap<>();
    Set<String> unwritten = new HashSet<>();
    try (Stream<Path> folders = Files.list(directory)) {
      for (Path folder : (Iterable<Path>) folders::iterator) {
        String id = String.valueOf(folder.getFileName());
        try {
          Optional<R> record = load(id);
          if (record.isPresent()) {
            whole.put(id, record.get());
          } else {
            broken.put(id, "there is no record file");
            unwritten.add(id);
          }
        } catch (IOException e) {
          broken.put(id, String.valueOf(e.getMessage()));
        }
      }
    }
    return new Found<>(whole, broken, unwritten);
  }

  private static byte[] encode(MessageLite record) {
    byte[] message = record.toByteArray();
    return ByteBuffer.allocate(CHECKSUM_BYTES + message.length)
        .putInt(checksum(message))
        .put(message)
        .array();
  }

  private R decode(byte[] content) throws IOException {
    if (content.length < CHECKSUM_BYTES) {
      throw new IOException("the record has only " + content.length + " bytes");
    }
    byte[] message = Arrays.copyOfRange(content, CHECKSUM_BYTES, content.length);
    if (ByteBuffer.wrap(content).getInt() != checksum(message)) {
      throw new IOException("the record's check sum does not match");
    }
    try {
      return parser.parseFrom(message);
    } catch (InvalidProtocolBufferException e) {
      throw new IOException("the record can't be parsed: " + e.getMessage(), e);
    }
  }

  private static int checksum(byte[] message) {
    CRC32C crc = new CRC32C();
    crc.update(message);
    return (int) crc.getValue();
  }
}
