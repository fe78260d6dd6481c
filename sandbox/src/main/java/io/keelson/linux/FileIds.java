package io.keelson.linux;

import java.io.IOException;
import java.util.concurrent.Callable;

/**
 * Work on files as another user (setfsuid(2)): in a file system that belongs to a user namespace,
 * root of the host can make no file, since the namespace has no number for it.
 */
public final class FileIds {

  /** Asks only: no user has this number, and the call answers the one before. */
  private static final int NOBODY = -1;

  private FileIds() {}

  /**
   * Runs work with these ids for all that it does to files, on a thread made for it.
   *
   * @throws IOException of the work; another checked exception of it comes wrapped
   */
  public static <T> T callAs(long uid, long gid, Callable<T> work) throws IOException {
    return PlatformThread.callOnFresh(
        "files-of-" + uid,
        () -> {
          // In this order: only root may take another group.
          var _ = LibC.setfsgid((int) gid);
          var _ = LibC.setfsuid((int) uid);
          if (LibC.setfsgid(NOBODY) != (int) gid || LibC.setfsuid(NOBODY) != (int) uid) {
            throw new IOException(
                "files can't be made as user %d and group %d".formatted(uid, gid));
          }
          return work.call();
        });
  }
}
