package io.keelson.sandbox;

import io.keelson.linux.AtomicFile;
import io.keelson.proto.record.v1.CheckpointRecord;
import io.keelson.proto.record.v1.ContainerPhase;
import io.keelson.sandbox.RecordStore.Durability;
import io.keelson.sandbox.error.KeelsonException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folder in which a checkpoint is made, next to where it is to be, so that its results are
 * whole when they appear. It is written down before anything is done, so that a start finds what a
 * killed daemon left: folders, and paused containers.
 */
final class CheckpointWork implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(CheckpointWork.class);

  private final Core core;
  private final String id;
  private final Path folder;
  private final List<Path> results;
  private boolean kept;

  private CheckpointWork(Core core, String id, Path folder, List<Path> results) {
    this.core = core;
    this.id = id;
    this.folder = folder;
    this.results = results;
  }

  /**
   * Makes the folder.
   *
   * @param parent where the results will be
   * @param results to be deleted if not all of them come about
   * @param containers that may be paused meanwhile
   */
  static CheckpointWork open(
      Core core, Path parent, List<Path> results, List<ContainerEntry> containers)
      throws IOException {
    String id = core.newId();
    Path folder = parent.resolve(".checkpoint-" + id + AtomicFile.UNFINISHED_SUFFIX);
    core.checkpointRecords()
        .save(
            id,
            CheckpointRecord.newBuilder()
                .setWork(folder.toString())
                .addAllResults(results.stream().map(Path::toString).toList())
                .addAllContainerIds(containers.stream().map(ContainerEntry::id).toList())
                .build(),
            Durability.DAEMON);
    CheckpointWork work = new CheckpointWork(core, id, folder, results);
    try {
      Files.createDirectory(
          folder,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      return work;
    } catch (IOException | RuntimeException e) {
      work.close();
      throw e;
    }
  }

  /** A new folder in this one. */
  Path folder(String name) throws IOException {
    return Files.createDirectory(folder.resolve(name));
  }

  /** A path in this folder. */
  Path path(String name) {
    return folder.resolve(name);
  }

  /** Puts a whole file in its place. */
  static void move(Path made, Path result) throws IOException {
    Files.move(made, result, StandardCopyOption.ATOMIC_MOVE);
  }

  /** All results are in their places. */
  void keep() {
    kept = true;
  }

  @Override
  public void close() throws IOException {
    clear(core, id, folder, kept ? List.of() : results);
  }

  private static void clear(Core core, String id, Path folder, List<Path> results)
      throws IOException {
    FileTrees.delete(folder);
    for (Path result : results) {
      Files.deleteIfExists(result);
    }
    core.checkpointRecords().delete(id);
  }

  /** Clears away what an earlier life of the daemon left, and lets its containers run on. */
  static void recover(Core core) throws IOException {
    for (Map.Entry<String, CheckpointRecord> left :
        core.checkpointRecords().loadAll().whole().entrySet()) {
      CheckpointRecord record = left.getValue();
      LOG.atInfo()
          .addKeyValue("folder", record.getWork())
          .log("clearing away a checkpoint that was not finished");
      for (String container : record.getContainerIdsList()) {
        core.containers().find(container).ifPresent(entry -> release(core, entry, record));
      }
      clear(
          core,
          left.getKey(),
          Path.of(record.getWork()),
          record.getResultsList().stream().map(Path::of).toList());
    }
  }

  private static void release(Core core, ContainerEntry container, CheckpointRecord record) {
    if (container.phase() != ContainerPhase.CONTAINER_PHASE_RUNNING) {
      return;
    }
    try {
      core.launcher()
          .awaitCheckpoint(
              new CheckpointFiles(Path.of(record.getWork()).resolve(container.id())).images());
      core.launcher()
          .resume(container.id(), core.settings().handler(container.record().getRuntimeHandler()));
    } catch (IOException | KeelsonException e) {
      LOG.atError()
          .setCause(e)
          .addKeyValue("container", container.id())
          .log("a container may still be paused for a checkpoint");
    }
  }
}
