package io.keelson.runtime.config;

/** What happens to whoever writes more than a disk limit allows. */
public enum OverLimit {
  /** The writer gets an error, where the file system can do that; elsewhere as {@link #END}. */
  REFUSE,
  /** The container is ended, with a reason. */
  END
}
