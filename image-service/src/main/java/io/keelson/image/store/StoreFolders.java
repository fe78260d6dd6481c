package io.keelson.image.store;

import io.keelson.linux.KernelThreads;
import io.keelson.linux.tree.Folder;
import io.keelson.linux.tree.Trees;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The folders of a store: {@code images/ID} and {@code layers/CHAINID} hold what is whole, {@code
 * ingest} what is being made, {@code trash} what is being deleted, {@code blobs} what is left of
 * broken layers. Things come into the first two and leave them by one rename. Safe for use by many
 * threads.
 */
public final class StoreFolders implements AutoCloseable {

  static final String VERSION = "1";

  /** Free bytes with which a pull begins without a look at what is being deleted. */
  private static final long ROOM = 8L << 30;

  private final Path root;
  private final Path images;
  private final Path layers;
  private final Path ingest;
  private final Path trash;
  private final Path blobs;
  private final Folder ingestFolder;
  private final Folder trashFolder;
  private final Trash trashCan;
  private final KernelThreads threads;

  /** Begins where no earlier run can have been: what that one has left goes in the background. */
  private final AtomicLong names = new AtomicLong(System.currentTimeMillis() << 20);

  private StoreFolders(Path root, KernelThreads threads) throws IOException {
    this.root = root;
    this.threads = threads;
    this.images = Files.createDirectories(root.resolve("images"));
    this.layers = Files.createDirectories(root.resolve("layers"));
    this.ingest = Files.createDirectories(root.resolve("ingest"));
    this.trash = Files.createDirectories(root.resolve("trash"));
    this.blobs = Files.createDirectories(root.resolve("blobs"));
    this.ingestFolder = Folder.open(ingest);
    this.trashFolder = Folder.open(trash);
    for (String name : ingestFolder.list()) {
      ingestFolder.move(name, trashFolder, Long.toString(names.incrementAndGet()));
    }
    this.trashCan = new Trash(trashFolder);
  }

  /**
   * Opens or makes a store; what an earlier run has left in {@code ingest} and {@code trash} is
   * deleted in the background.
   *
   * @param threads where trees are deleted that a caller waits for
   * @throws IOException also if the store is of a version that this program does not know
   */
  public static StoreFolders open(Path root, KernelThreads threads) throws IOException {
    Files.createDirectories(root);
    Path version = root.resolve("version");
    if (Files.exists(version)) {
      String found = Files.readString(version).strip();
      if (!found.isEmpty() && !found.equals(VERSION)) {
        throw new IOException(
            "image store %s is of version %s; this program knows version %s"
                .formatted(root, found, VERSION));
      }
    }
    StoreFolders folders = new StoreFolders(root, threads);
    try {
      // Not over one that is there: a full disk must not keep the daemon from starting.
      if (!Files.exists(version) || Files.size(version) == 0) {
        Files.writeString(version, VERSION + "\n");
      }
    } catch (IOException | RuntimeException e) {
      folders.close();
      throw e;
    }
    return folders;
  }

  Path root() {
    return root;
  }

  Path images() {
    return images;
  }

  Path layers() {
    return layers;
  }

  Path blobs() {
    return blobs;
  }

  /** A fresh folder for something that is being made. */
  public Path newIngest() throws IOException {
    return Files.createDirectory(ingest.resolve(Long.toString(names.incrementAndGet())));
  }

  /** Makes what {@link #newIngest} gave part of the store. */
  static void publish(Path made, Path target) throws IOException {
    Files.move(made, target, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Gives up what {@link #newIngest} gave, with its space. */
  public void discard(Path made) throws IOException {
    delete(ingestFolder, made);
  }

  /** Takes something out of the store at once; its space comes back by {@link #delete}. */
  Path takeOut(Path part) throws IOException {
    Path taken = trash.resolve(Long.toString(names.incrementAndGet()));
    Files.move(part, taken, StandardCopyOption.ATOMIC_MOVE);
    return taken;
  }

  /** Has what was taken out deleted. */
  void delete(Path taken, long bytes, long inodes) {
    trashCan.put(taken, bytes, inodes);
  }

  /** What was taken out and is not deleted yet. */
  StoreUsage beingDeleted() {
    return trashCan.usage();
  }

  /**
   * Waits a while for what was taken out to be deleted. A few layers are gone in that time, so that
   * their space is there when a removal returns; nobody waits out a large image.
   */
  void awaitDeletion(Duration patience) {
    try {
      trashCan.await(patience);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Waits for what is being deleted if the disk may need it. */
  public void makeRoom() throws IOException {
    StoreUsage pending = beingDeleted();
    if (pending.bytes() > 0 && Files.getFileStore(root).getUsableSpace() < ROOM) {
      awaitDeletion(Duration.ofMinutes(1));
    }
  }

  // Also when the caller is being cancelled: an interrupt must not leave what it asks to be cleaned
  // up.
  private void delete(Folder folder, Path path) throws IOException {
    boolean interrupted = Thread.interrupted();
    try {
      while (true) {
        try {
          threads.run(() -> Trees.delete(folder, path.getFileName().toString()));
          return;
        } catch (InterruptedIOException e) {
          // What the interrupt has left is deleted in another go.
          interrupted |= Thread.interrupted();
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Brings all that was written to the disk. */
  void sync() throws IOException {
    ingestFolder.syncFileSystem();
  }

  @Override
  public void close() {
    trashCan.close();
    ingestFolder.close();
    trashFolder.close();
  }
}
