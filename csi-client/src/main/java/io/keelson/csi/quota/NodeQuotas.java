package io.keelson.csi.quota;

import io.keelson.linux.KernelThreads;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Limits folders by project quotas where their file system has them: the writer gets EDQUOT or
 * ENOSPC. Elsewhere they are measured, and whoever went beyond is ended. Safe for use by many
 * threads.
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
  private final MeasuredFolders measured;
  private final Map<String, Path> limited = new ConcurrentHashMap<>();
  private volatile Ender ender = (id, message) -> {};

  private NodeQuotas(ProjectQuotas projects, Duration interval, KernelThreads kernelThreads) {
    this.projects = projects;
    this.measured = new MeasuredFolders(interval, kernelThreads, this::exceeded);
  }

  /**
   * For folders on the file system of {@code root}.
   *
   * @param interval between measurements
   */
  public static NodeQuotas on(Path root, Duration interval, KernelThreads kernelThreads)
      throws IOException {
    return new NodeQuotas(ProjectQuotas.on(root), interval, kernelThreads);
  }

  /** From now on this ends what goes beyond; before, it is only logged. */
  public void endBy(Ender by) {
    ender = by;
  }

  @Override
  public void limit(String id, Path folder, long bytes) throws IOException {
    if (projects.available()) {
      projects.limit(folder, bytes);
      limited.put(id, folder);
    } else {
      measured.add(id, folder, bytes);
    }
  }

  @Override
  public void release(String id) throws IOException {
    measured.remove(id);
    Path folder = limited.remove(id);
    if (folder != null && folder.toFile().exists()) {
      projects.release(folder);
    }
  }

  private void exceeded(String id, long usedBytes, long limitBytes) {
    String message =
        "%d bytes are on disk, and the limit is %d bytes".formatted(usedBytes, limitBytes);
    LOG.atWarn().addKeyValue("id", id).addKeyValue("what", message).log("a disk limit is exceeded");
    ender.end(id, message);
  }

  @Override
  public void close() {
    measured.close();
  }
}
