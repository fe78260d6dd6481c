package io.keelson.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes user namespaces, and others that belong to them (user_namespaces(7)). A process with
 * threads can't make one, so a child does ({@code unshare}, util-linux), which is gone again when
 * the namespaces are pinned. Safe for use by many threads.
 */
public final class UserNamespaces {

  /** {@code cat} says back what it is sent, and so that the namespaces are there. */
  private static final List<String> WAITING_CHILD = List.of("cat");

  private static final Path LIMIT = Path.of("/proc/sys/user/max_user_namespaces");
  private static final int MAX_MESSAGE = 4096;

  private UserNamespaces() {}

  /** Whether this kernel makes user namespaces. */
  public static boolean isSupported() throws IOException {
    return Files.exists(Path.of("/proc/self/ns/user"))
        && Files.exists(LIMIT)
        && !Files.readString(LIMIT).strip().equals("0");
  }

  /**
   * As {@link Namespaces#create}, with a user namespace that owns the others: who is root in it may
   * administer them. If anything fails, nothing is left.
   *
   * @param uids the user ids of the namespace; all others are nobody
   * @param gids the group ids
   * @param pins which namespaces and the file for each; user is among them
   */
  public static void create(
      IdMapping uids,
      IdMapping gids,
      Map<NamespaceType, Path> pins,
      @Nullable String hostname,
      Map<String, String> sysctls)
      throws IOException {
    if (!pins.containsKey(NamespaceType.USER)) {
      throw new IllegalArgumentException("no pin for the user namespace: " + pins.keySet());
    }
    Set<NamespaceType> others = EnumSet.copyOf(pins.keySet());
    others.remove(NamespaceType.USER);
    Namespaces.check(others, hostname, sysctls.keySet());
    try (Held held = hold(uids, gids, others)) {
      Map<NamespaceType, Path> sources = new EnumMap<>(NamespaceType.class);
      pins.keySet().forEach(type -> sources.put(type, held.namespace(type)));
      PlatformThread.callOnFresh(
          "user-namespace",
          () -> {
            for (NamespaceType type : others) {
              Namespaces.enter(held.namespace(type), type);
            }
            Namespaces.configure(others, hostname, sysctls);
            return Boolean.TRUE;
          });
      Namespaces.pinAll(sources, pins);
    }
  }

  /** A user namespace that is there until it is closed, for the ids that it maps. */
  public static Held hold(IdMapping uids, IdMapping gids) throws IOException {
    return hold(uids, gids, Set.of());
  }

  private static Held hold(IdMapping uids, IdMapping gids, Set<NamespaceType> others)
      throws IOException {
    List<String> command = new ArrayList<>(List.of("unshare", "--user"));
    others.forEach(type -> command.add("--" + type.procName()));
    command.addAll(WAITING_CHILD);
    Fd[] input = Fd.pipe();
    Fd[] output = Fd.pipe();
    Spawned child = null;
    try (Fd answers = output[0]) {
      child = start(command, input[0], output[1]);
      awaitReady(child, input[1], answers);
      Path proc = Path.of("/proc", Integer.toString(child.pid()));
      write(proc.resolve("uid_map"), uids);
      write(proc.resolve("gid_map"), gids);
      return new Held(child, input[1]);
    } catch (IOException | RuntimeException e) {
      input[1].close();
      if (child != null) {
        child.close();
      }
      throw e;
    }
  }

  /** Hands its ends of the pipes to the child. */
  private static Spawned start(List<String> command, Fd input, Fd output) throws IOException {
    try (input;
        output) {
      SpawnFiles files = SpawnFiles.none().fd(0, input).fd(1, output).fd(2, output);
      return Spawn.start(command, Map.of(), null, files, true);
    }
  }

  private static void awaitReady(Spawned child, Fd to, Fd from) throws IOException {
    byte[] answer = new byte[MAX_MESSAGE];
    int length;
    try {
      to.write(new byte[] {'!'}, 0, 1);
      length = from.read(answer, 0, answer.length);
    } catch (ErrnoException e) {
      length = 0; // it has ended already
    }
    String said = new String(answer, 0, Math.max(0, length), StandardCharsets.UTF_8).strip();
    if (!said.equals("!")) {
      throw new IOException(
          "a user namespace can't be made: "
              + (said.isEmpty() ? "unshare ended with " + child.await() : said));
    }
  }

  private static void write(Path map, IdMapping mapping) throws IOException {
    try (Fd file = Fd.open(map, Fd.O_WRONLY, 0)) {
      byte[] line = mapping.line().getBytes(StandardCharsets.US_ASCII);
      file.write(line, 0, line.length);
    } catch (IOException e) {
      throw new IOException("ids can't be mapped as %s: %s".formatted(mapping, e.getMessage()), e);
    }
  }

  /** Namespaces that a waiting child keeps. */
  public static final class Held implements AutoCloseable {

    private final Spawned child;
    private final Fd input;

    private Held(Spawned child, Fd input) {
      this.child = child;
      this.input = input;
    }

    /** The file of the user namespace, as long as this is open. */
    public Path path() {
      return namespace(NamespaceType.USER);
    }

    Path namespace(NamespaceType type) {
      return Path.of("/proc/%d/ns/%s".formatted(child.pid(), type.procName()));
    }

    /** Ends the child; pins and idmapped mounts keep the namespaces. */
    @Override
    public void close() {
      input.close();
      child.close();
    }
  }
}
