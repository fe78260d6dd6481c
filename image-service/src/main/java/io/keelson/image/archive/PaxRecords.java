package io.keelson.image.archive;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The records of a pax extended header (POSIX.1-2001, pax, "pax Extended Header"): {@code length
 * key=value\n}. Values are bytes, one {@code char} each.
 */
final class PaxRecords {

  static final PaxRecords NONE = new PaxRecords(Map.of(), List.of());

  private static final String SCHILY_XATTR = "SCHILY.xattr.";
  private static final String SPARSE_OFFSET = "GNU.sparse.offset";
  private static final String SPARSE_LENGTH = "GNU.sparse.numbytes";

  private final Map<String, String> values;
  private final List<Long> sparseMap;

  private PaxRecords(Map<String, String> values, List<Long> sparseMap) {
    this.values = values;
    this.sparseMap = sparseMap;
  }

  static PaxRecords parse(byte[] data) throws MalformedArchiveException {
    Map<String, String> values = new LinkedHashMap<>();
    List<Long> sparseMap = new ArrayList<>();
    int at = 0;
    while (at < data.length && data[at] != 0) {
      int blank = at;
      int length = 0;
      while (blank < data.length && data[blank] >= '0' && data[blank] <= '9') {
        length = length * 10 + (data[blank] - '0');
        if (length > data.length) {
          throw broken();
        }
        blank++;
      }
      int end = at + length;
      if (blank == at || end > data.length || blank + 2 >= end || data[blank] != ' ') {
        throw broken();
      }
      if (data[end - 1] != '\n') {
        throw broken();
      }
      String record = new String(data, blank + 1, end - blank - 2, StandardCharsets.ISO_8859_1);
      int equals = record.indexOf('=');
      if (equals < 1) {
        throw broken();
      }
      String key = record.substring(0, equals);
      String value = record.substring(equals + 1);
      if (key.equals(SPARSE_OFFSET) || key.equals(SPARSE_LENGTH)) {
        // Format 0.0 says the map by keys that repeat, in turn.
        if (key.equals(SPARSE_OFFSET) != (sparseMap.size() % 2 == 0)) {
          throw broken();
        }
        sparseMap.add(TarNumbers.decimal(value, key));
      } else {
        values.put(key, value);
      }
      at = end;
    }
    return new PaxRecords(values, sparseMap);
  }

  /** The value, or null if there is none or an empty one, which means none. */
  @Nullable String get(String key) {
    String value = values.get(key);
    return value == null || value.isEmpty() ? null : value;
  }

  /** A path or a name: no zero byte may hide what follows it. */
  @Nullable String name(String key) throws MalformedArchiveException {
    String value = get(key);
    if (value != null && value.indexOf('\0') >= 0) {
      throw new MalformedArchiveException("extended header " + key + " holds a zero byte");
    }
    return value;
  }

  /**
   * Offsets and lengths in turn, of sparse format 0.0 or 0.1; null if the header has no such map.
   */
  @Nullable List<Long> sparseMap() throws MalformedArchiveException {
    String map = get("GNU.sparse.map");
    if (map == null) {
      return sparseMap.isEmpty() && get("GNU.sparse.numblocks") == null ? null : sparseMap;
    }
    List<Long> numbers = new ArrayList<>();
    for (String number : map.split(",", -1)) {
      numbers.add(TarNumbers.decimal(number, "GNU.sparse.map"));
    }
    return numbers;
  }

  /**
   * The extended attributes, by the keys that star, GNU tar and docker write; access control lists
   * as attributes too.
   */
  Map<String, byte[]> attributes() throws MalformedArchiveException {
    Map<String, byte[]> attributes = null;
    for (Map.Entry<String, String> record : values.entrySet()) {
      if (record.getKey().startsWith(SCHILY_XATTR)) {
        attributes = attributes == null ? new LinkedHashMap<>() : attributes;
        attributes.put(
            record.getKey().substring(SCHILY_XATTR.length()),
            record.getValue().getBytes(StandardCharsets.ISO_8859_1));
      }
    }
    attributes = withList(attributes, "SCHILY.acl.access", AccessControlList.ACCESS);
    attributes = withList(attributes, "SCHILY.acl.default", AccessControlList.DEFAULT);
    return attributes == null ? Map.of() : attributes;
  }

  private @Nullable Map<String, byte[]> withList(
      @Nullable Map<String, byte[]> attributes, String key, String attribute)
      throws MalformedArchiveException {
    String text = get(key);
    if (text == null) {
      return attributes;
    }
    Map<String, byte[]> all = attributes == null ? new LinkedHashMap<>() : attributes;
    AccessControlList.attribute(text).ifPresent(value -> all.putIfAbsent(attribute, value));
    return all;
  }

  private static MalformedArchiveException broken() {
    return new MalformedArchiveException("a pax extended header is broken");
  }
}
