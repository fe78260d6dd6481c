package io.keelson.device.builtin;

import io.keelson.device.plugin.ResourceName;
import io.keelson.sandbox.error.InvalidRequestException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tomlj.TomlArray;
import org.tomlj.TomlTable;

/** One table of an administrator's file. Every complaint names the file and the table. */
final class Definition {

  private final Path file;
  private final String kind;
  private final TomlTable table;

  Definition(Path file, String kind, TomlTable table) {
    this.file = file;
    this.kind = kind;
    this.table = table;
  }

  IOException wrong(String what) {
    return new IOException("%s: [[%s]]: %s".formatted(file, kind, what));
  }

  void allowOnly(Set<String> keys) throws IOException {
    for (String key : table.keySet()) {
      if (!keys.contains(key)) {
        throw wrong("unknown key %s; there are %s".formatted(key, keys.stream().sorted().toList()));
      }
    }
  }

  String resource() throws IOException {
    String name = text("resource", "");
    try {
      return ResourceName.check(name);
    } catch (InvalidRequestException e) {
      throw wrong(String.valueOf(e.getMessage()));
    }
  }

  boolean has(String key) {
    return table.contains(key);
  }

  String text(String key, String otherwise) throws IOException {
    @Nullable Object value = table.get(key);
    if (value == null) {
      return otherwise;
    }
    if (value instanceof String text) {
      return text;
    }
    throw wrong(key + " must be a text in quotes");
  }

  int number(String key, int otherwise, int least, int most) throws IOException {
    @Nullable Object value = table.get(key);
    if (value == null) {
      return otherwise;
    }
    if (value instanceof Long number && number >= least && number <= most) {
      return number.intValue();
    }
    throw wrong("%s must be a number from %d to %d".formatted(key, least, most));
  }

  boolean flag(String key, boolean otherwise) throws IOException {
    @Nullable Object value = table.get(key);
    if (value == null) {
      return otherwise;
    }
    if (value instanceof Boolean flag) {
      return flag;
    }
    throw wrong(key + " must be true or false");
  }

  List<String> texts(String key) throws IOException {
    @Nullable Object value = table.get(key);
    List<String> texts = new ArrayList<>();
    if (value == null) {
      return texts;
    }
    if (value instanceof TomlArray array) {
      for (Object item : array.toList()) {
        if (item instanceof String text) {
          texts.add(text);
        } else {
          throw wrong(key + " must be a list of texts");
        }
      }
      return texts;
    }
    throw wrong(key + " must be a list of texts");
  }

  String permissions() throws IOException {
    String permissions = text("permissions", "rw");
    if (!permissions.matches("[rwm]{1,3}")) {
      throw wrong("permissions must be letters of r, w and m");
    }
    return permissions;
  }

  HostTree host() throws IOException {
    Path root = Path.of(text("root", "/"));
    if (!root.isAbsolute()) {
      throw wrong("root must be an absolute path");
    }
    return new HostTree(root);
  }
}
