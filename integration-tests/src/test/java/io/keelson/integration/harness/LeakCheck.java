package io.keelson.integration.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a node has on its host: mounts, network namespaces, links, nftables elements, control
 * groups, processes, files, loop devices, and what its daemon holds open. It looks only at what
 * bears the node's own names, so that other work on the host does not disturb it.
 */
final class LeakCheck {

  private static final Duration PATIENCE = Patience.ofSeconds(15);
  private static final int ROUNDS = 100;
  private static final Path CGROUPS = Path.of("/sys/fs/cgroup");

  private final TestNode node;

  LeakCheck(TestNode node) {
    this.node = node;
  }

  /** Everything that could be left, by kind. */
  Map<String, List<String>> snapshot() {
    Map<String, List<String>> found = new LinkedHashMap<>();
    found.put("mounts", mounts());
    found.put("network namespaces", children(node.base().resolve("netns")));
    found.put("links", links());
    found.put("nftables", rules());
    found.put("control groups", controlGroups());
    found.put("processes", processes());
    found.put("state files", files(node.state()));
    found.put("root files", files(node.root()));
    found.put("CNI addresses", reservedAddresses());
    found.put("loop devices", loopDevices());
    found.put("descriptors of the daemon", descriptors());
    return found;
  }

  /** Fails with what is there and was not before. What ends by itself is given some seconds. */
  void compare(Map<String, List<String>> before) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      Map<String, List<String>> left = new LinkedHashMap<>();
      snapshot()
          .forEach(
              (kind, now) -> {
                List<String> more = new ArrayList<>(now);
                more.removeAll(before.getOrDefault(kind, List.of()));
                if (!more.isEmpty()) {
                  left.put(kind, more);
                }
              });
      if (left.isEmpty()) {
        return;
      }
      if (System.nanoTime() > end) {
        throw new AssertionError("left behind: " + left);
      }
      pause();
    }
  }

  private static void pause() {
    try {
      Thread.sleep(50);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** Takes away all that is left, after a failed test as after a good one. */
  void sweep() throws IOException {
    clear();
    if (mounts().isEmpty()) {
      deleteTree(node.base());
    }
  }

  /** Takes all away that is of this boot of the host; files stay. */
  void clear() throws IOException {
    for (int round = 0; round < ROUNDS && !processes().isEmpty(); round++) {
      for (String process : processes()) {
        ProcessHandle.of(Long.parseLong(process.split(" ", 2)[0]))
            .ifPresent(ProcessHandle::destroyForcibly);
      }
      pause();
    }
    for (int round = 0; round < 5 && !mounts().isEmpty(); round++) {
      for (String mount : mounts().reversed()) {
        Shell.run(List.of("umount", "-l", mount));
      }
    }
    loopDevices().forEach(loop -> Shell.run(List.of("losetup", "-d", loop.split(" ", 2)[0])));
    links().forEach(link -> Shell.run(List.of("ip", "link", "delete", link)));
    Shell.run(List.of("ip", "link", "delete", node.bridge()));
    Shell.run(List.of("ip", "link", "delete", node.bridge() + "x"));
    Shell.run(List.of("nft", "delete", "table", "inet", "keelson-" + node.bridge()));
    if (node.cgroupParent().endsWith(".slice")) {
      Shell.run(List.of("systemctl", "stop", node.cgroupParent().substring(1)));
    }
    for (int round = 0; round < ROUNDS && !controlGroupFolders().isEmpty(); round++) {
      for (Path group : controlGroupFolders().reversed()) {
        try {
          Files.deleteIfExists(group);
        } catch (IOException e) {
          // Busy for a moment more, or found once for each of two names of one hierarchy.
        }
      }
      if (!controlGroupFolders().isEmpty()) {
        pause();
      }
    }
  }

  private List<String> mounts() {
    String prefix = node.base() + "/";
    return read(Path.of("/proc/self/mountinfo")).stream()
        .map(line -> line.split(" ", -1)[4])
        .filter(target -> target.startsWith(prefix) && !target.startsWith(prefix + "test/"))
        .toList();
  }

  /** Those of the node's files, also of files that are deleted. */
  private List<String> loopDevices() {
    return children(Path.of("/sys/block")).stream()
        .filter(device -> device.startsWith("loop"))
        .map(
            device ->
                "/dev/"
                    + device
                    + " "
                    + String.join("", read(Path.of("/sys/block", device, "loop/backing_file"))))
        .filter(device -> device.contains(" " + node.base() + "/"))
        .toList();
  }

  /**
   * What the daemon holds open of the node's files, of processes and of namespaces, each one as
   * often as it does. Connections and the JVM's own come and go.
   */
  private List<String> descriptors() {
    if (!node.daemon().isAlive()) {
      return List.of();
    }
    List<String> found = new ArrayList<>();
    Map<String, Integer> times = new HashMap<>();
    Path open = Path.of("/proc", Long.toString(node.daemon().pid()), "fd");
    for (String descriptor : children(open)) {
      try {
        String target = Files.readSymbolicLink(open.resolve(descriptor)).toString();
        if (target.startsWith(node.base() + "/")
            || target.equals("anon_inode:[pidfd]")
            || target.startsWith("pidfd:")
            || target.matches("(mnt|net|user|pid|ipc|uts|cgroup):\\[[0-9]+]")) {
          found.add(target + " #" + times.merge(target, 1, Integer::sum));
        }
      } catch (IOException e) {
        // Closed meanwhile.
      }
    }
    return found;
  }

  private List<String> links() {
    return children(Path.of("/sys/class/net")).stream()
        .filter(
            link -> {
              Path master = Path.of("/sys/class/net", link, "master");
              try {
                String bridge = String.valueOf(Files.readSymbolicLink(master).getFileName());
                return bridge.startsWith(node.bridge());
              } catch (IOException e) {
                return false;
              }
            })
        .toList();
  }

  /** Files of the reference plugin host-local, which are named after the address. */
  private List<String> reservedAddresses() {
    return children(node.base().resolve("ipam/test")).stream()
        .filter(name -> name.matches("[0-9.]+|[0-9a-f:]+:.*"))
        .toList();
  }

  /** Lines of rules and elements that name an address of a pod. */
  private List<String> rules() {
    String prefixes = node.ipv4Prefix() + "|" + node.externalPrefix();
    String pod = ".*\\b(" + prefixes.replace(".", "\\.") + ")\\.\\d+\\.\\d+\\b.*";
    return Shell.run(List.of("nft", "list", "ruleset"))
        .output()
        .lines()
        .map(String::strip)
        .filter(line -> line.matches(pod) || line.contains(node.ipv6Prefix()))
        .filter(line -> !line.contains("masquerade"))
        .toList();
  }

  private List<String> controlGroups() {
    return controlGroupFolders().stream()
        .filter(group -> !group.endsWith(node.cgroupParent().substring(1)))
        .map(Path::toString)
        .toList();
  }

  /** Parents before children. */
  private List<Path> controlGroupFolders() {
    List<Path> found = new ArrayList<>();
    Path name = Path.of(node.cgroupParent().substring(1));
    List<Path> hierarchies = new ArrayList<>(List.of(CGROUPS));
    children(CGROUPS).forEach(child -> hierarchies.add(CGROUPS.resolve(child)));
    for (Path hierarchy : hierarchies) {
      Path top = hierarchy.resolve(name);
      if (Files.isSymbolicLink(hierarchy) || !Files.isDirectory(top)) {
        continue;
      }
      try (Stream<Path> below = Files.walk(top)) {
        below.filter(Files::isDirectory).forEach(found::add);
      } catch (IOException | UncheckedIOException e) {
        found.add(top); // it went while it was looked at, or it did not: the next look tells
      }
    }
    return found;
  }

  /** Processes that name the node's folders, or are in its control groups, but for the daemon. */
  private List<String> processes() {
    List<String> found = new ArrayList<>();
    for (String entry : children(Path.of("/proc"))) {
      if (!Character.isDigit(entry.charAt(0))
          || entry.equals(Long.toString(ProcessHandle.current().pid()))) {
        continue;
      }
      Path process = Path.of("/proc", entry);
      String command = String.join(" ", read(process.resolve("cmdline"))).replace('\0', ' ');
      boolean inGroup =
          read(process.resolve("cgroup")).stream()
              .anyMatch(line -> line.contains(node.cgroupParent() + "/"));
      boolean daemon = command.contains("serve --config " + node.configuration());
      if ((inGroup || command.contains(node.base() + "/")) && !daemon) {
        found.add(entry + " " + command);
      }
    }
    return found;
  }

  /** Files and folders, but those of the image store, whose content is not a pod's. */
  private List<String> files(Path top) {
    List<String> found = new ArrayList<>();
    try {
      Files.walkFileTree(
          top,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
              if (folder.equals(node.root().resolve("images"))) {
                return FileVisitResult.SKIP_SUBTREE;
              }
              found.add(folder.toString());
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
              found.add(file.toString());
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) {
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException e) {
              return FileVisitResult.CONTINUE; // one that went while it was read is an error there
            }
          });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return found.stream().filter(file -> !node.isLasting(file)).toList();
  }

  private static List<String> children(Path folder) {
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
      entries.forEach(entry -> names.add(Objects.toString(entry.getFileName())));
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (DirectoryIteratorException e) {
      // It went while it was read, as the folder of a process does.
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    names.sort(Comparator.naturalOrder());
    return names;
  }

  private static List<String> read(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      return List.of();
    }
  }

  static void deleteTree(Path top) throws IOException {
    if (!Files.exists(top)) {
      return;
    }
    try (Stream<Path> files = Files.walk(top)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
