package io.keelson.image.archive;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * A POSIX access control list: read in the words of star and GNU tar ({@code
 * user::rw-,user:5:r--,…}, acl(5), "ACL TEXT FORMS"), written as the kernel keeps it in an extended
 * attribute.
 */
final class AccessControlList {

  static final String ACCESS = "system.posix_acl_access";
  static final String DEFAULT = "system.posix_acl_default";

  private static final int VERSION = 2;
  private static final int UNDEFINED_ID = -1;
  private static final int USER_OWNER = 0x01;
  private static final int USER = 0x02;
  private static final int GROUP_OWNER = 0x04;
  private static final int GROUP = 0x08;
  private static final int MASK = 0x10;
  private static final int OTHER = 0x20;

  private record Entry(int tag, int permissions, int id) {}

  private AccessControlList() {}

  /**
   * The attribute's value.
   *
   * @return empty for a list that names users or groups without their numbers: the names are those
   *     of another system
   * @throws MalformedArchiveException if that is no list
   */
  static Optional<byte[]> attribute(String text) throws MalformedArchiveException {
    List<Entry> entries = new ArrayList<>();
    for (String line : text.split("[,\n]", -1)) {
      String plain = line.strip();
      int comment = plain.indexOf('#');
      plain = (comment < 0 ? plain : plain.substring(0, comment)).strip();
      if (plain.isEmpty()) {
        continue;
      }
      String[] fields = plain.split(":", -1);
      if (fields.length < 3 || fields.length > 4) {
        throw broken(line);
      }
      int tag = tag(fields[0], fields[1].isEmpty(), line);
      Optional<Integer> id = id(tag, fields);
      if (id.isEmpty()) {
        return Optional.empty();
      }
      entries.add(new Entry(tag, permissions(fields[2], line), id.get()));
    }
    return Optional.of(bytes(entries));
  }

  private static int tag(String word, boolean owner, String line) throws MalformedArchiveException {
    return switch (word) {
      case "user", "u" -> owner ? USER_OWNER : USER;
      case "group", "g" -> owner ? GROUP_OWNER : GROUP;
      case "mask", "m" -> MASK;
      case "other", "o" -> OTHER;
      default -> throw broken(line);
    };
  }

  // star writes the number behind the name.
  private static Optional<Integer> id(int tag, String[] fields) {
    if (tag != USER && tag != GROUP) {
      return Optional.of(UNDEFINED_ID);
    }
    String number = fields.length == 4 ? fields[3] : fields[1];
    try {
      return Optional.of(Integer.parseUnsignedInt(number));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  private static int permissions(String text, String line) throws MalformedArchiveException {
    int permissions = 0;
    for (int i = 0; i < text.length(); i++) {
      switch (text.charAt(i)) {
        case 'r' -> permissions |= 4;
        case 'w' -> permissions |= 2;
        case 'x' -> permissions |= 1;
        case '-' -> {}
        default -> throw broken(line);
      }
    }
    return permissions;
  }

  // The kernel takes them only in this order.
  private static byte[] bytes(List<Entry> entries) {
    entries.sort(
        Comparator.comparingInt(Entry::tag).thenComparing(Entry::id, Integer::compareUnsigned));
    ByteBuffer value = ByteBuffer.allocate(4 + 8 * entries.size()).order(ByteOrder.LITTLE_ENDIAN);
    value.putInt(VERSION);
    for (Entry entry : entries) {
      value.putShort((short) entry.tag());
      value.putShort((short) entry.permissions());
      value.putInt(entry.id());
    }
    return value.array();
  }

  private static MalformedArchiveException broken(String line) {
    return new MalformedArchiveException("no entry of an access control list: \"" + line + "\"");
  }
}
