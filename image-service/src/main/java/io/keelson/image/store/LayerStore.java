package io.keelson.image.store;

import io.keelson.image.reference.Digest;
import io.keelson.linux.BootId;
import io.keelson.linux.tree.Trees;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The unpacked layers, each once, counted by who needs it: when nobody does, its space is given
 * back. Safe for use by many threads; {@link #find} and {@link #usage} come from memory and wait
 * for nothing.
 *
 * <p>A layer is seen by a rename when all of it is written. It is not waited for until the disk has
 * it: {@link #settle} does that later for all layers at once. Until then its record names the boot,
 * and after a power cut the layer is dropped for that; a crash of the daemon alone loses nothing.
 */
public final class LayerStore implements AutoCloseable {

  /** How long a removal waits for the space that it gives back. */
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  private static final Logger log = LoggerFactory.getLogger(LayerStore.class);

  private final StoreFolders folders;
  private final LayersOnDisk disk;
  private final KeptBlobs blobs;
  private final String boot;

  /** Read at any time, changed under the lock alone, which is held over renames and records. */
  private final Map<Digest, Counted> layers = new ConcurrentHashMap<>();

  private final Set<Digest> unsettled = new HashSet<>();

  private static final class Counted {
    private volatile Layer layer;
    private final boolean mounted;
    private int users;
    private boolean sealed;

    Counted(Layer layer, boolean mounted) {
      this.layer = layer;
      this.mounted = mounted;
    }
  }

  private LayerStore(StoreFolders folders, String boot) throws IOException {
    this.folders = folders;
    this.disk = new LayersOnDisk(folders, boot);
    this.blobs = new KeptBlobs(folders.blobs());
    this.boot = boot;
  }

  /** Reads the layers' records; what is broken or may be is deleted with a line in the log. */
  public static LayerStore open(StoreFolders folders) throws IOException {
    LayerStore store = new LayerStore(folders, BootId.current());
    for (Path folder : store.disk.all()) {
      store.load(folder);
    }
    return store;
  }

  private void load(Path folder) throws IOException {
    try {
      LayerRecord record = disk.load(folder);
      Layer layer = disk.layer(record);
      if (record.writtenInBoot() != null) {
        unsettled.add(layer.chainId());
      }
      layers.put(layer.chainId(), new Counted(layer, record.erofs()));
      if (record.blob() != null) {
        blobs.published(Digest.parse(record.blob()), folder);
      }
    } catch (IOException | RuntimeException e) {
      log.atWarn()
          .addKeyValue("layer", folder.getFileName())
          .log("layer dropped; pulling its images again brings it back: {}", e.getMessage());
      salvageBlob(folder);
      disk.drop(folder);
    }
  }

  private void salvageBlob(Path folder) {
    try {
      String blob = disk.read(folder).blob();
      if (blob != null) {
        blobs.salvage(Digest.parse(blob), folder);
      }
    } catch (IOException | RuntimeException e) {
      // Then it is fetched again.
      log.atDebug().addKeyValue("layer", folder.getFileName()).log("no blob: {}", e.getMessage());
    }
  }

  /** From which layers can be made without their source. */
  public KeptBlobs blobs() {
    return blobs;
  }

  /** Keeps a layer from deletion, if it is here; each call asks for a {@link #release}. */
  public synchronized Optional<Layer> retain(Digest chainId) {
    Counted counted = layers.get(chainId);
    if (counted == null) {
      return Optional.empty();
    }
    counted.users++;
    return Optional.of(counted.layer);
  }

  /** The layer, if it is here. For those who retain it. */
  public Optional<Layer> find(Digest chainId) {
    return Optional.ofNullable(layers.get(chainId)).map(counted -> counted.layer);
  }

  /**
   * Ends a {@link #retain} of each; what nobody needs any more is deleted, with its space.
   *
   * @throws IOException if some could not be taken out; they are here still, for the next who wants
   *     them, and all others have gone
   */
  public void release(List<Digest> chainIds) throws IOException {
    boolean taken = false;
    IOException failure = null;
    synchronized (this) {
      for (Digest chainId : chainIds) {
        Counted counted = layers.get(chainId);
        if (counted != null && --counted.users <= 0) {
          try {
            Path removed = disk.takeOut(chainId, counted.mounted);
            layers.remove(chainId);
            blobs.removed(disk.folderOf(chainId));
            unsettled.remove(chainId);
            disk.delete(removed, counted.layer);
            taken = true;
          } catch (IOException e) {
            if (failure == null) {
              failure = e;
            } else {
              failure.addSuppressed(e);
            }
          }
        }
      }
    }
    if (taken) {
      folders.awaitDeletion(PATIENCE);
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** Deletes what nobody retains: once, when all images are known. */
  public void releaseUnused() throws IOException {
    List<Digest> unused;
    synchronized (this) {
      unused =
          layers.entrySet().stream()
              .filter(layer -> layer.getValue().users == 0)
              .map(Map.Entry::getKey)
              .toList();
    }
    release(unused);
  }

  /**
   * Finds out whether layers can be packed ({@link NewLayer#pack}) on this host.
   *
   * @throws io.keelson.sandbox.error.UnsupportedException if not; the message says what it lacks
   */
  public void checkPacking() throws IOException {
    disk.checkPacking();
  }

  /** A place to unpack a layer in. */
  public NewLayer begin() throws IOException {
    return disk.begin();
  }

  /** Makes a layer part of the store, retained once for the caller. */
  public Layer publish(
      NewLayer made, Digest chainId, Digest diffId, @Nullable Digest blob, long bytes, long inodes)
      throws IOException {
    return publish(
        made,
        chainId,
        LayerRecord.unpacked(
            chainId, diffId, blob, new Trees.Usage(bytes, inodes), made.packed(), boot));
  }

  /**
   * Makes a folder of this host a layer, retained once for the caller. It stays where it is, and
   * nothing is ever changed or deleted in it.
   */
  public Layer link(Path host, Digest chainId, Digest diffId) throws IOException {
    try (NewLayer made = begin()) {
      return publish(made, chainId, LayerRecord.linked(chainId, diffId, host, boot));
    }
  }

  private Layer publish(NewLayer made, Digest chainId, LayerRecord record) throws IOException {
    disk.complete(made, record);
    synchronized (this) {
      Counted existing = layers.get(chainId);
      if (existing != null) {
        existing.users++;
        return existing.layer;
      }
      disk.publish(made, record);
      Counted counted = new Counted(disk.layer(record), record.erofs());
      counted.users = 1;
      layers.put(chainId, counted);
      unsettled.add(chainId);
      if (record.blob() != null) {
        blobs.published(Digest.parse(record.blob()), disk.folderOf(chainId));
      }
      return counted.layer;
    }
  }

  /** Brings new layers to the disk and notes it. May take as long as the disk needs. */
  public void settle() throws IOException {
    Set<Digest> toSettle;
    synchronized (this) {
      toSettle = Set.copyOf(unsettled);
    }
    if (toSettle.isEmpty()) {
      return;
    }
    folders.sync();
    for (Digest chainId : toSettle) {
      Optional<Trees.Usage> usage = disk.measure(chainId);
      synchronized (this) {
        Counted counted = layers.get(chainId);
        if (unsettled.contains(chainId) && counted != null && usage.isPresent()) {
          LayerRecord record = record(chainId);
          // Of an image the size is known; what is mounted takes nothing besides.
          record = record.settled(record.erofs() ? record.usage() : usage.get());
          disk.write(record);
          counted.layer = disk.layer(record);
          unsettled.remove(chainId);
        }
      }
    }
    folders.sync();
  }

  /**
   * Notes what one layer is that has no note yet, so that a later look can tell whether it is that
   * still.
   *
   * @param check comes often, and ends the work by what it throws
   * @return false if there is none that can be noted now
   */
  public boolean sealNext(Runnable check) throws IOException {
    Layer layer;
    synchronized (this) {
      Counted next =
          layers.values().stream()
              .filter(counted -> !counted.sealed)
              .filter(counted -> !unsettled.contains(counted.layer.chainId()))
              .findFirst()
              .orElse(null);
      if (next == null) {
        return false;
      }
      next.sealed = true;
      next.users++;
      layer = next.layer;
    }
    try {
      LayerRecord record = record(layer.chainId());
      if (record.seal() == null && record.host() == null) {
        Digest seal = LayerSeal.of(layer.content(), check);
        synchronized (this) {
          disk.write(record(layer.chainId()).sealed(seal));
        }
      }
    } finally {
      release(List.of(layer.chainId()));
    }
    return true;
  }

  /** Takes the mounts of layers away; the next start brings them back. */
  @Override
  public synchronized void close() {
    for (Counted counted : layers.values()) {
      if (counted.mounted) {
        try {
          ErofsLayer.unmount(counted.layer.content());
        } catch (IOException e) {
          log.atWarn().addKeyValue("layer", counted.layer.chainId()).log("{}", e.getMessage());
        }
      }
    }
  }

  LayerRecord record(Digest chainId) throws IOException {
    return disk.read(chainId);
  }

  /** What all layers take, with those that are being deleted. */
  public StoreUsage usage() {
    long bytes = folders.beingDeleted().bytes() + blobs.bytes();
    long inodes = folders.beingDeleted().inodes();
    for (Counted counted : layers.values()) {
      bytes += counted.layer.bytes();
      inodes += counted.layer.inodes();
    }
    return new StoreUsage(bytes, inodes);
  }
}
