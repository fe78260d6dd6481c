package io.keelson.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A line of {@code /proc/PID/mountinfo} (proc(5)).
 *
 * @param id of the mount
 * @param parent the id of the mount that it lies on
 * @param root the folder of the file system that is the root of this mount
 * @param mountPoint where it is, as the process sees it
 * @param options of this mount
 * @param optionalFields its propagation: {@code shared:N}, {@code master:N}, …; none if it is
 *     private
 * @param type of the file system
 * @param source the device or whatever the file system calls its source
 * @param superOptions of the file system
 */
public record MountInfo(
    int id,
    int parent,
    String root,
    Path mountPoint,
    Set<String> options,
    List<String> optionalFields,
    String type,
    String source,
    Set<String> superOptions) {

  private static final Pattern OCTAL = Pattern.compile("\\\\([0-7]{3})");

  public MountInfo {
    options = Set.copyOf(options);
    optionalFields = List.copyOf(optionalFields);
    superOptions = Set.copyOf(superOptions);
  }

  /**
   * The mounts of the calling thread's mount namespace, in the order in which they cover each
   * other.
   */
  public static List<MountInfo> read() throws IOException {
    return parse(Files.readString(Path.of("/proc/thread-self/mountinfo"), StandardCharsets.UTF_8));
  }

  /** The mounts of another process' mount namespace. */
  public static List<MountInfo> read(int pid) throws IOException {
    return parse(Files.readString(Path.of("/proc/" + pid + "/mountinfo"), StandardCharsets.UTF_8));
  }

  /** The mount that an absolute path without symbolic links lies in; it need not exist. */
  public static Optional<MountInfo> containing(Path path) throws IOException {
    return containing(read(), path.toAbsolutePath().normalize());
  }

  /**
   * As the kernel walks: from the root, into each mount at the place where the way meets it first.
   */
  static Optional<MountInfo> containing(List<MountInfo> mounts, Path path) {
    Set<Integer> ids = mounts.stream().map(MountInfo::id).collect(Collectors.toSet());
    List<MountInfo> onTheWay =
        mounts.stream()
            .filter(mount -> path.startsWith(mount.mountPoint))
            .sorted(Comparator.comparingInt(mount -> mount.mountPoint.getNameCount()))
            .toList();
    Optional<MountInfo> found = Optional.empty();
    Optional<MountInfo> next =
        onTheWay.stream().filter(mount -> !ids.contains(mount.parent)).findFirst();
    while (next.isPresent()) {
      found = next;
      int id = found.get().id;
      next = onTheWay.stream().filter(mount -> mount.parent == id && mount.id != id).findFirst();
    }
    return found;
  }

  /** True if mounts made below it appear in its peers. */
  public boolean isShared() {
    return optionalFields.stream().anyMatch(field -> field.startsWith("shared:"));
  }

  /** True if mounts made in its master appear below it. */
  public boolean isSlave() {
    return optionalFields.stream().anyMatch(field -> field.startsWith("master:"));
  }

  static List<MountInfo> parse(String text) {
    return text.lines().map(MountInfo::parseLine).toList();
  }

  private static MountInfo parseLine(String line) {
    String[] fields = line.split(" ", -1);
    int separator = 6;
    while (separator < fields.length && !fields[separator].equals("-")) {
      separator++;
    }
    if (separator + 3 >= fields.length) {
      throw new IllegalArgumentException("not a line of mountinfo: " + line);
    }
    return new MountInfo(
        Integer.parseInt(fields[0]),
        Integer.parseInt(fields[1]),
        unescape(fields[3]),
        Path.of(unescape(fields[4])),
        options(fields[5]),
        List.of(fields).subList(6, separator),
        unescape(fields[separator + 1]),
        unescape(fields[separator + 2]),
        options(fields[separator + 3]));
  }

  private static Set<String> options(String text) {
    Set<String> result = new LinkedHashSet<>();
    for (String option : text.split(",", -1)) {
      result.add(unescape(option));
    }
    return result;
  }

  /** Space, tab, newline and backslash come as three octal digits. */
  private static String unescape(String text) {
    if (text.indexOf('\\') < 0) {
      return text;
    }
    return OCTAL
        .matcher(text)
        .replaceAll(
            match ->
                Matcher.quoteReplacement(
                    String.valueOf((char) Integer.parseInt(match.group(1), 8))));
  }
}
