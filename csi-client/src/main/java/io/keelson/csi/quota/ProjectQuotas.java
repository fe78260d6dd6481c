package io.keelson.csi.quota;

import io.keelson.linux.ProjectQuota;
import io.keelson.linux.tree.Folder;
import io.keelson.linux.tree.Trees;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
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
  public static ProjectQuotas on(Path folder) {
    return new ProjectQuotas(folder, ProjectQuota.isEnforced(folder));
  }

  /** Whether the file system keeps such quotas and is mounted so ({@code prjquota}). */
  public boolean available() {
    return available;
  }

  /**
   * Sets the limit of folders, all of them together. Files can't be moved or linked from one
   * project to another, so what belongs together needs the same one: an overlay's upper folder and
   * the one that the kernel works in.
   *
   * @return the number of their project
   */
  public synchronized int limit(List<Path> folders, long bytes) throws IOException {
    int project = ProjectQuota.projectOf(folders.getFirst());
    if (!isOurs(project)) {
      project = free(folders.getFirst());
    }
    ProjectQuota.limit(root, project, bytes);
    for (Path path : folders) {
      if (ProjectQuota.projectOf(path) != project) {
        try (Folder folder = Folder.open(path)) {
          Trees.assign(folder, project);
        }
      }
    }
    return project;
  }

  /** Takes the limit of a folder away, before it is deleted. Harmless if it has none. */
  public void release(Path folder) throws IOException {
    release(ProjectQuota.projectOf(folder));
  }

  /** Takes the limit of a project away; its number is free when the last of its files is gone. */
  void release(int project) throws IOException {
    if (isOurs(project)) {
      ProjectQuota.limit(root, project, 0);
    }
  }

  DiskUse use(int project) throws IOException {
    ProjectQuota.Usage usage = ProjectQuota.usage(root, project);
    return new DiskUse(usage.usedBytes(), usage.limitBytes());
  }

  private static boolean isOurs(int project) {
    return project >= FIRST && project < FIRST + COUNT;
  }

  /** The number of a project that has no files; a limit that it still has is left from a crash. */
  private int free(Path folder) throws IOException {
    CRC32C hash = new CRC32C();
    hash.update(folder.toString().getBytes(StandardCharsets.UTF_8));
    int start = (int) (hash.getValue() & (COUNT - 1));
    for (int i = 0; i < COUNT; i++) {
      int project = FIRST + (start + i) % COUNT;
      ProjectQuota.Usage usage = ProjectQuota.usage(root, project);
      if (usage.usedInodes() == 0 && usage.usedBytes() == 0) {
        return project;
      }
    }
    throw new IOException("all numbers of projects are taken on the file system of " + root);
  }
}
