package io.keelson.linux;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Makes PID namespaces (pid_namespaces(7)): a program becomes the first process of a new one. Safe
 * for use by many threads.
 */
public final class PidNamespaces {

  private static final int PR_CAPBSET_DROP = 24;
  private static final int PR_SET_NO_NEW_PRIVS = 38;
  private static final int PR_CAP_AMBIENT = 47;
  private static final int PR_CAP_AMBIENT_CLEAR_ALL = 4;

  /** {@code _LINUX_CAPABILITY_VERSION_3}: two words for each of the three sets. */
  private static final int CAPABILITY_VERSION = 0x20080522;

  private static final int CAPABILITY_SETS_SIZE = 24;

  private static final int NEW_PID = NamespaceType.PID.cloneFlag();
  private static final long READ_ONLY = Mounts.MS_RDONLY | Mounts.MS_NOSUID | Mounts.MS_NODEV;

  private PidNamespaces() {}

  /**
   * Starts a program as the first process of a new PID namespace. It sees nothing of the host: a
   * folder is its whole file system, read-only, it has no environment, no open file, no capability,
   * and nothing that it runs can get one. It is in this process' control group and user namespace.
   *
   * @param root the folder; a file and a folder to mount on are made in it
   * @param program linked statically; seen in the root under its own name
   * @param joined pinned namespaces that it is in; the others are this process' own
   */
  public static Spawned startFirst(
      Path root, Path program, List<String> arguments, Map<NamespaceType, Path> joined)
      throws IOException {
    Path seen = root.resolve(program.getFileName());
    Path oldRoot = Files.createDirectories(root.resolve("old"));
    if (!Files.exists(seen)) {
      Files.createFile(seen);
    }
    List<String> command = new ArrayList<>();
    command.add("/" + program.getFileName());
    command.addAll(arguments);
    try (Fd nothing = Fd.open(Path.of("/dev/null"), Fd.O_RDWR, 0);
        SpawnCall spawn =
            Spawn.prepare(
                command,
                Map.of(),
                Path.of("/"),
                SpawnFiles.none().fd(0, nothing).fd(1, nothing).fd(2, nothing),
                true);
        Confinement confinement = new Confinement(root, oldRoot)) {
      Namespaces.callInOwnMounts(
          () -> {
            for (Map.Entry<NamespaceType, Path> each : joined.entrySet()) {
              Namespaces.enter(each.getValue(), each.getKey());
            }
            Mounts.bind(root, root);
            Mounts.bind(program, seen);
            Mounts.remount(seen, READ_ONLY);
            Mounts.remount(root, READ_ONLY);
            if (confinement.begin()) {
              spawn.run();
            }
            return Boolean.TRUE;
          });
      confinement.check();
      return spawn.started();
    }
  }

  /**
   * Takes everything from a thread that only starts a child any more. It loses sight of this
   * program's own files too, so what it does from then on is system calls with arguments made
   * before: a class that is loaded then would be missing for good.
   */
  private static final class Confinement implements AutoCloseable {

    private final byte[] root;
    private final byte[] oldRoot;
    private final byte[] oldRootWithin;
    private final Memory capabilities = new Memory(8);
    private final Memory none = new Memory(CAPABILITY_SETS_SIZE);
    private String failed = "";
    private int errno;

    Confinement(Path root, Path oldRoot) {
      this.root = LibC.string(root.toString());
      this.oldRoot = LibC.string(oldRoot.toString());
      this.oldRootWithin = LibC.string("/" + oldRoot.getFileName());
      capabilities.setInt(0, CAPABILITY_VERSION);
      capabilities.setInt(4, 0); // of the calling thread
      none.clear();
    }

    /** Answers whether it is done. */
    boolean begin() {
      return isDone("pivot_root", LibC.pivot_root(root, oldRoot))
          && isDone("umount2", LibC.umount2(oldRootWithin, Mounts.MNT_DETACH))
          && isDone("unshare(CLONE_NEWPID)", LibC.unshare(NEW_PID))
          && isDone(
              "prctl(PR_CAP_AMBIENT)",
              LibC.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
          && dropBoundingSet()
          && isDone("prctl(PR_SET_NO_NEW_PRIVS)", LibC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
          && isDone("capset", LibC.capset(capabilities, none));
    }

    /** With it empty, execve(2) gives root no capability back. */
    private boolean dropBoundingSet() {
      for (int capability = 0; LibC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; ) {
        capability++;
      }
      // Which is said of the first that does not exist.
      return Native.getLastError() == Errno.EINVAL || isDone("prctl(PR_CAPBSET_DROP)", -1);
    }

    private boolean isDone(String call, int result) {
      if (result < 0) {
        failed = call;
        errno = Native.getLastError();
      }
      return result >= 0;
    }

    void check() throws ErrnoException {
      if (!failed.isEmpty()) {
        throw new ErrnoException(failed, errno);
      }
    }

    @Override
    public void close() {
      none.close();
      capabilities.close();
    }
  }
}
