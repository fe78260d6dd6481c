package io.keelson.csi.quota;

import java.io.IOException;
import java.nio.file.Path;

/** Project quotas of one file system. */
public final class ProjectQuotas {

  private final boolean available;

  private ProjectQuotas(boolean available) {
    this.available = available;
  }

  /** Of the file system that a folder lies on. */
  public static ProjectQuotas on(Path folder) throws IOException {
    return new ProjectQuotas(false);
  }

  public boolean available() {
    return available;
  }

  public void limit(Path folder, long bytes) throws IOException {
    if (!available) {
      throw new IOException("the file system of " + folder + " has no project quotas");
    }
  }
}
