package io.keelson.linux.tree;

import com.sun.jna.Memory;
import io.keelson.linux.ErrnoException;
import java.util.ArrayList;
import java.util.List;

/** What a folder holds, as getdents64(2) tells it. */
final class Listing {

  private static final int BUFFER = 64 * 1024;
  // struct linux_dirent64: d_ino 8, d_off 8, d_reclen 2, d_type 1, d_name
  private static final int LENGTH = 16;
  private static final int NAME = 19;

  private Listing() {}

  /** The names, without {@code .} and {@code ..}, in the file system's order. */
  static List<String> of(Folder folder) throws ErrnoException {
    if (TreeCalls.lseek(folder.number(), 0, 0) < 0) {
      throw TreeCalls.failure("lseek(\"%s\", 0)".formatted(folder));
    }
    List<String> names = new ArrayList<>();
    try (Memory entries = new Memory(BUFFER)) {
      while (true) {
        long size = TreeCalls.getdents64(folder.number(), entries, BUFFER);
        if (size < 0) {
          throw TreeCalls.failure("getdents64(\"%s\")".formatted(folder));
        }
        if (size == 0) {
          return names;
        }
        for (long at = 0; at < size; at += entries.getShort(at + LENGTH) & 0xffff) {
          String name = entries.getString(at + NAME, "ISO-8859-1");
          if (!name.equals(".") && !name.equals("..")) {
            names.add(name);
          }
        }
      }
    }
  }
}
