package io.keelson.csi.quota;

import java.io.IOException;
import java.nio.file.Path;

/** Limits what folders may hold. Safe for use by many threads. */
public interface FolderQuota {

  /** Sets the limit of a folder that is empty still; an existing limit is replaced. */
  void limit(String id, Path folder, long bytes) throws IOException;

  /** The folder is about to go, or to have no limit any more. Harmless if it has none. */
  void release(String id) throws IOException;
}
