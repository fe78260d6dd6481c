package io.keelson.csi.quota;

import io.keelson.linux.KernelThreads;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Limits folders by project quotas where their file system has them: the writer gets EDQUOT or
 * ENOSPC. Elsewhere, or if it is wanted so, they are measured, and whoever went beyond is ended.
 * Safe for use by many threads.
 */
public final class NodeQuotas implements FolderQuota, AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(NodeQuotas.class);

  /** Ends what has gone beyond its limit. */
  @FunctionalInterface
  public interface Ender {

    /**
     * @param id of a container, or of a publication
     * @param message what it did, for people
     */
    void end(String id, String message);
  }

  private final ProjectQuotas projects;
  private final boolean refusing;
  private final MeasuredFolders measured;
  private final Map<String, Integer> projectOf = new ConcurrentHashMap<>();
  private volatile Ender ender = (id, message) -> {};

  private NodeQuotas(
      ProjectQuotas projects, boolean refusing, Duration interval, KernelThreads kernelThreads) {
    this.projects = projects;
    this.refusing = refusing && projects.available();
    this.measured = new MeasuredFolders(interval, kernelThreads, this::exceeded);
  }

  /**
   * For folders on the file system of {@code root}.
   *
   * @param ending whoever goes beyond is ended, also where the file system could refuse
   * @param interval between measurements
   */
  public static NodeQuotas on(
      Path root, boolean ending, Duration interval, KernelThreads kernelThreads) {
    return new NodeQuotas(ProjectQuotas.on(root), !ending, interval, kernelThreads);
  }

  /** From now on this ends what goes beyond; before, it is only logged. */
  public void endBy(Ender by) {
    ender = by;
  }

  @Override
  public void limit(String id, List<Path> folders, long bytes) throws IOException {
    if (refusing) {
      projectOf.put(id, projects.limit(folders, bytes));
    } else {
      for (Path folder : projects.available() ? folders : List.<Path>of()) {
        projects.release(folder); // of a time when the file system was to refuse
      }
      measured.add(id, folders, bytes);
    }
  }

  @Override
  public void release(String id, Path folder) throws IOException {
    measured.remove(id);
    Integer project = projectOf.remove(id);
    if (project != null) {
      projects.release(project);
    } else if (projects.available() && Files.isDirectory(folder)) {
      projects.release(folder);
    }
  }

  /**
   * What a container or a publication has on disk; empty if it has no limit.
   *
   * @param id of a container, or of a publication
   */
  public Optional<DiskUse> use(String id) throws IOException {
    Integer project = projectOf.get(id);
    return project != null ? Optional.of(projects.use(project)) : measured.measure(id);
  }

  /** The same of all that have a limit, by id; where it is measured, as it was the last time. */
  public Map<String, DiskUse> all() {
    Map<String, DiskUse> all = new TreeMap<>(measured.last());
    projectOf.forEach(
        (id, project) -> {
          try {
            all.put(id, projects.use(project));
          } catch (IOException e) {
            LOG.atDebug().addKeyValue("id", id).setCause(e).log("no usage of a project");
          }
        });
    return all;
  }

  private void exceeded(String id, DiskUse use) {
    String message =
        "%d bytes are on disk, and the limit is %d bytes"
            .formatted(use.usedBytes(), use.limitBytes());
    LOG.atWarn().addKeyValue("id", id).addKeyValue("what", message).log("a disk limit is exceeded");
    ender.end(id, message);
  }

  @Override
  public void close() {
    measured.close();
  }
}
