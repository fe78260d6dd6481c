package io.keelson.sandbox.port;

import java.io.IOException;
import java.nio.file.Path;

/**
 * Archives of plain files: a folder, and folders in it, without links or anything else. Safe for
 * use by many threads.
 */
public interface PlainArchives {

  /** Writes a tar of a folder to a new file, which only its owner may read, and to the disk. */
  void pack(Path folder, Path archive) throws IOException;

  /**
   * Unpacks a tar, which may be compressed, into an empty folder. What is neither a file nor a
   * folder is left out; nothing outside of the folder is touched.
   *
   * @throws io.keelson.sandbox.error.InvalidRequestException if it is no tar or a broken one, leads
   *     out of the folder, or grows beyond all limits
   */
  void unpack(Path archive, Path folder) throws IOException;
}
