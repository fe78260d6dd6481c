package io.keelson.csi.quota;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Limits what folders may hold. Safe for use by many threads. */
public interface FolderQuota {

  /**
   * Sets the limit of folders, all of them together; an existing limit is replaced.
   *
   * @param id under which the limit is known
   * @param folders on one file system
   */
  void limit(String id, List<Path> folders, long bytes) throws IOException;

  /**
   * The folders are about to go, or to have no limit any more. Harmless if they have none.
   *
   * @param folder one of them, if it is still there; it tells of a limit that an earlier life of
   *     the daemon has set
   */
  void release(String id, Path folder) throws IOException;
}
