package io.keelson.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes, keeps and enters namespaces (namespaces(7)). A namespace without a process is kept by
 * binding its file in {@code /proc} over a file, its pin. Safe for use by many threads, which wait
 * without holding their carriers: the work is done by a platform thread that ends with it, since a
 * thread that changed its namespaces can't be used for anything else. Threads that the work starts
 * would be in its namespaces for good, so it starts none, hands nothing to executors, and gives
 * back no lock that a virtual thread may wait for (those of the log are such).
 *
 * <p>Work in a namespace finds itself under {@code /proc/thread-self}; {@code /proc/self} is the
 * main thread, which has not moved, and so {@code java.net.NetworkInterface} shows what is the
 * host's.
 */
public final class Namespaces {

  /**
   * The others can't be made by a thread: pid needs a child, user and mnt a process of their own.
   */
  private static final Set<NamespaceType> CREATABLE =
      EnumSet.of(NamespaceType.NET, NamespaceType.IPC, NamespaceType.UTS, NamespaceType.CGROUP);

  private static final Logger LOG = LoggerFactory.getLogger(Namespaces.class);

  private static final int CLONE_FS = 0x200;

  private Namespaces() {}

  /**
   * Makes new namespaces and pins them. The loopback of a new network namespace is up. If anything
   * fails, nothing is left.
   *
   * @param pins which namespaces (net, ipc, uts, cgroup) and the file for each, which is made with
   *     its folders; what an earlier attempt has left there is replaced
   * @param hostname of the new uts namespace; null for the host's
   * @param sysctls by name ({@code net.ipv4.ip_forward}, or with slashes), in the new namespaces
   * @throws IllegalArgumentException for a kind that can't be made so, a hostname without a uts
   *     namespace, or a sysctl that is not of one of the new namespaces and would change the host
   */
  public static void create(
      Map<NamespaceType, Path> pins, @Nullable String hostname, Map<String, String> sysctls)
      throws IOException {
    check(pins.keySet(), hostname, sysctls.keySet());
    if (pins.isEmpty()) {
      return;
    }
    PlatformThread.callOnFresh(
        "namespaces",
        () -> {
          createHere(pins, hostname, sysctls);
          return Boolean.TRUE;
        });
  }

  /**
   * Whether a namespace can be entered by this file. One that is left where a namespace was pinned
   * is an ordinary file.
   */
  public static boolean isNamespace(Path file) {
    try {
      return Files.getFileStore(file).type().equals("nsfs");
    } catch (IOException e) {
      return false; // there is none
    }
  }

  /** Lets go of a pinned namespace and deletes its file; harmless if there is none. */
  public static void unpin(Path pin) throws IOException {
    while (Mounts.detach(pin)) {
      // a pin laid over a pin by an attempt that was killed
    }
    Files.deleteIfExists(pin);
  }

  /**
   * Runs work in a namespace, on a thread made for it.
   *
   * @param namespace a pin, or a file in {@code /proc/PID/ns}
   * @param type of it; pid means that of children started by the work; user can't be entered so
   * @throws IOException of the work; another checked exception of it comes wrapped
   */
  public static <T> T callIn(Path namespace, NamespaceType type, Callable<T> work)
      throws IOException {
    return PlatformThread.callOnFresh(
        "in-" + type.procName(),
        () -> {
          enter(namespace, type);
          return work.call();
        });
  }

  /** Sets the host name in a uts namespace. */
  public static void setHostname(Path uts, String hostname) throws IOException {
    callIn(
        uts,
        NamespaceType.UTS,
        () -> {
          setHostname(hostname);
          return Boolean.TRUE;
        });
  }

  /**
   * Runs work in a copy of this mount namespace, on a thread made for it: what it mounts is seen
   * nowhere else, and is gone with it.
   *
   * @throws IOException of the work; another checked exception of it comes wrapped
   */
  public static <T> T callInOwnMounts(Callable<T> work) throws IOException {
    return PlatformThread.callOnFresh(
        "own-mounts",
        () -> {
          if (LibC.unshare(NamespaceType.MOUNT.cloneFlag()) < 0) {
            throw LibC.failure("unshare(CLONE_NEWNS)");
          }
          Mounts.makeSlave(Path.of("/"), true);
          return work.call();
        });
  }

  /**
   * Runs work in one namespace after another, all on one thread made for it, which is far cheaper
   * than {@link #callIn} for each.
   *
   * @return what the work gave, without the namespaces that are gone or in which it failed
   */
  public static <T> Map<Path, T> callInEach(
      Collection<Path> namespaces, NamespaceType type, Callable<T> work) throws IOException {
    if (namespaces.isEmpty()) {
      return Map.of();
    }
    Map<Path, T> results = new HashMap<>();
    Map<Path, IOException> failures = new HashMap<>();
    PlatformThread.callOnFresh(
        "in-each-" + type.procName(),
        () -> {
          for (Path namespace : namespaces) {
            try {
              enter(namespace, type);
              results.put(namespace, work.call());
            } catch (IOException e) {
              failures.put(namespace, e);
            }
          }
          return Boolean.TRUE;
        });
    // Not in there: a log has locks, for which others wait.
    failures.forEach(
        (namespace, e) -> LOG.debug("nothing from namespace {}: {}", namespace, e.getMessage()));
    return results;
  }

  private static void createHere(
      Map<NamespaceType, Path> pins, @Nullable String hostname, Map<String, String> sysctls)
      throws IOException {
    int flags = 0;
    for (NamespaceType type : pins.keySet()) {
      flags |= type.cloneFlag();
    }
    if (LibC.unshare(flags) < 0) {
      throw LibC.failure("unshare(%s)".formatted(pins.keySet()));
    }
    configure(pins.keySet(), hostname, sysctls);
    Map<NamespaceType, Path> sources = new EnumMap<>(NamespaceType.class);
    for (NamespaceType type : pins.keySet()) {
      sources.put(type, Path.of("/proc/thread-self/ns", type.procName()));
    }
    pinAll(sources, pins);
  }

  /**
   * @throws IllegalArgumentException as {@link #create}
   */
  static void check(Set<NamespaceType> types, @Nullable String hostname, Set<String> sysctls) {
    if (!CREATABLE.containsAll(types)) {
      throw new IllegalArgumentException("only " + CREATABLE + " can be made so: " + types);
    }
    if (hostname != null && !types.contains(NamespaceType.UTS)) {
      throw new IllegalArgumentException("a hostname without a uts namespace: " + hostname);
    }
    for (String name : sysctls) {
      Sysctl.requireNamespaced(name, types);
    }
  }

  /** Sets up the new namespaces of these kinds that the calling thread is in. */
  static void configure(
      Set<NamespaceType> types, @Nullable String hostname, Map<String, String> sysctls)
      throws IOException {
    if (types.contains(NamespaceType.NET)) {
      Loopback.up();
    }
    if (hostname != null) {
      setHostname(hostname);
    }
    for (Map.Entry<String, String> sysctl : sysctls.entrySet()) {
      Sysctl.write(sysctl.getKey(), sysctl.getValue());
    }
  }

  private static void setHostname(String hostname) throws IOException {
    byte[] name = hostname.getBytes(StandardCharsets.UTF_8);
    if (LibC.sethostname(name, name.length) < 0) {
      throw LibC.failure("sethostname(\"" + hostname + "\")");
    }
  }

  /** Pins each of these namespaces, or none of them. */
  static void pinAll(Map<NamespaceType, Path> sources, Map<NamespaceType, Path> pins)
      throws IOException {
    Deque<Path> pinned = new ArrayDeque<>();
    try {
      for (Map.Entry<NamespaceType, Path> entry : pins.entrySet()) {
        pinned.push(entry.getValue());
        pin(Objects.requireNonNull(sources.get(entry.getKey())), entry.getValue());
      }
    } catch (IOException | RuntimeException e) {
      for (Path path : pinned) {
        try {
          unpin(path);
        } catch (IOException second) {
          e.addSuppressed(second);
        }
      }
      throw e;
    }
  }

  private static void pin(Path source, Path pin) throws IOException {
    Path folder = Objects.requireNonNull(pin.toAbsolutePath().getParent());
    Files.createDirectories(folder);
    try {
      Files.createFile(pin);
    } catch (FileAlreadyExistsException e) {
      unpin(pin);
      Files.createFile(pin);
    }
    Mounts.bind(source, pin);
  }

  static void enter(Path namespace, NamespaceType type) throws ErrnoException {
    // The threads of a process share root and working directory, and who shares may not change its
    // mounts.
    if (type == NamespaceType.MOUNT && LibC.unshare(CLONE_FS) < 0) {
      throw LibC.failure("unshare(CLONE_FS)");
    }
    try (Fd fd = Fd.open(namespace, Fd.O_RDONLY, 0)) {
      if (LibC.setns(fd.number(), type.cloneFlag()) < 0) {
        throw LibC.failure("setns(\"%s\", %s)".formatted(namespace, type));
      }
    }
  }
}
