package io.keelson.sandbox.isolator;

import io.keelson.linux.RootDirectory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The users and groups that a root file system knows (passwd(5), group(5)). The files are the
 * image's, so nothing in them is trusted: they are opened below the root only, read up to a limit,
 * and lines that make no sense are left out.
 */
record AccountFiles(List<User> users, List<Group> groups) {

  private static final int MAX_BYTES = 4 << 20;

  record User(String name, long uid, long gid, String home) {}

  record Group(String name, long gid, List<String> members) {}

  static AccountFiles read(Path rootfs) throws IOException {
    try (RootDirectory root = RootDirectory.open(rootfs)) {
      List<User> users = new ArrayList<>();
      for (String line : lines(root, "/etc/passwd")) {
        String[] fields = line.split(":", -1);
        if (fields.length >= 4 && isNumber(fields[2]) && isNumber(fields[3])) {
          users.add(
              new User(
                  fields[0],
                  Long.parseLong(fields[2]),
                  Long.parseLong(fields[3]),
                  fields.length > 5 ? fields[5] : ""));
        }
      }
      List<Group> groups = new ArrayList<>();
      for (String line : lines(root, "/etc/group")) {
        String[] fields = line.split(":", -1);
        if (fields.length >= 3 && isNumber(fields[2])) {
          List<String> members =
              fields.length > 3 ? List.of(fields[3].strip().split(",")) : List.of();
          groups.add(new Group(fields[0], Long.parseLong(fields[2]), members));
        }
      }
      return new AccountFiles(users, groups);
    }
  }

  Optional<User> user(Predicate<User> wanted) {
    return users.stream().filter(wanted).findFirst();
  }

  Optional<Group> group(String name) {
    return groups.stream().filter(group -> group.name().equals(name)).findFirst();
  }

  /** The groups that list this user as a member; not the group of the same name. */
  List<Long> groupsOf(String userName) {
    return groups.stream()
        .filter(group -> !group.name().equals(userName) && group.members().contains(userName))
        .map(Group::gid)
        .toList();
  }

  private static List<String> lines(RootDirectory root, String path) throws IOException {
    Optional<byte[]> content = root.readFile(path, MAX_BYTES);
    return content
        .map(bytes -> new String(bytes, StandardCharsets.UTF_8).lines().toList())
        .orElse(List.of());
  }

  private static boolean isNumber(String text) {
    return !text.isEmpty()
        && text.length() <= 10
        && text.chars().allMatch(character -> character >= '0' && character <= '9');
  }
}
