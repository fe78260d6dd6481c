package io.keelson.sandbox;

import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import org.jspecify.annotations.Nullable;

/** Tells a full disk (or a used-up quota) from other failures of a file operation. */
public final class DiskFull {

  private DiskFull() {}

  /** True if this failure, or one that caused it, is ENOSPC or EDQUOT. */
  public static boolean isCause(@Nullable Throwable failure) {
    for (Throwable t = failure; t != null; t = t.getCause()) {
      if (t instanceof ErrnoException e) {
        if (e.is(Errno.ENOSPC) || e.is(Errno.EDQUOT)) {
          return true;
        }
      } else if (t instanceof java.io.IOException
          && t.getMessage() != null
          && (t.getMessage().contains("No space left on device")
              || t.getMessage().contains("Disk quota exceeded"))) {
        return true;
      }
    }
    return false;
  }
}
