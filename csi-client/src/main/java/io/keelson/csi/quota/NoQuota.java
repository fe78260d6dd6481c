package io.keelson.csi.quota;

import java.nio.file.Path;

/** Limits nothing. */
public final class NoQuota implements FolderQuota {

  @Override
  public void limit(String id, Path folder, long bytes) {}

  @Override
  public void release(String id) {}
}
