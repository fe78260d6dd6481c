package io.keelson.csi.quota;

import io.keelson.linux.ProjectQuota;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * Project quotas of one file system. The number of a project is kept by the file system itself, in
 * the folder's attributes. Safe for use by many threads.
 */
public final class ProjectQuotas {

  /** Numbers of our own begin here: far above those that administrators give by hand. */
  private static final int FIRST = 0x4b00_0000;

  private static final int COUNT = 1 << 24;

  private final Path root;
  private final boolean available;

  private ProjectQuotas(Path root, boolean available) {
    this.root = root;
    this.available = available;
  }

  /** Of the file system that a folder lies on. */
  public static ProjectQuotas on(Path folder) throws IOException {
    return new ProjectQuotas(folder, ProjectQuota.isAvailable(folder));
  }

  /** Whether the file system keeps such quotas and is mounted so ({@code prjquota}). */
  public boolean available() {
    return available;
  }

  /** Sets the limit of a folder, which is empty when it gets its first one. */
  public synchronized void limit(Path folder, long bytes) throws IOException {
    int project = ProjectQuota.projectOf(folder);
    if (project < FIRST) {
      project = free(folder);
      ProjectQuota.limit(root, project, bytes);
      ProjectQuota.assign(folder, project);
    } else {
      ProjectQuota.limit(root, project, bytes);
    }
  }

  /** Puts another folder under the limit of a first one. */
  public void join(Path folder, Path first) throws IOException {
    ProjectQuota.assign(folder, ProjectQuota.projectOf(first));
  }

  /** Takes the limit away, before the folder is deleted. Harmless if it has none. */
  public void release(Path folder) throws IOException {
    int project = ProjectQuota.projectOf(folder);
    if (project >= FIRST) {
      ProjectQuota.limit(root, project, 0);
    }
  }

  /** A number that limits nothing and holds nothing. */
  private int free(Path folder) throws IOException {
    CRC32C hash = new CRC32C();
    hash.update(folder.toString().getBytes(StandardCharsets.UTF_8));
    int start = (int) (hash.getValue() & (COUNT - 1));
    for (int i = 0; i < COUNT; i++) {
      int project = FIRST + (start + i) % COUNT;
      ProjectQuota.Usage usage = ProjectQuota.usage(root, project);
      if (usage.limitBytes() == 0 && usage.usedBytes() == 0) {
        return project;
      }
    }
    throw new IOException("all numbers of projects are taken on the file system of " + root);
  }
}
