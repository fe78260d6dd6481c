package io.keelson.image.store;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.keelson.image.reference.Digest;
import io.keelson.linux.AtomicFile;
import io.keelson.linux.BootId;
import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.tree.Folder;
import io.keelson.linux.tree.Trees;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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

  static final String CONTENT = "diff";
  static final String BLOB = "blob";
  private static final String RECORD = "layer.json";

  /** How long a removal waits for the space that it gives back. */
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  private static final Logger log = LoggerFactory.getLogger(LayerStore.class);

  private final StoreFolders folders;
  private final String boot;
  private final ObjectMapper json =
      new ObjectMapper().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

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

  private LayerStore(StoreFolders folders, String boot) {
    this.folders = folders;
    this.boot = boot;
  }

  /** Reads the layers' records; what is broken or may be is deleted with a line in the log. */
  public static LayerStore open(StoreFolders folders) throws IOException {
    LayerStore store = new LayerStore(folders, BootId.current());
    List<Path> broken = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folders.layers())) {
      for (Path entry : entries) {
        if (!store.load(entry)) {
          broken.add(entry);
        }
      }
    }
    for (Path entry : broken) {
      ErofsLayer.unmount(entry.resolve(CONTENT));
      folders.delete(folders.takeOut(entry), 0, 0);
    }
    return store;
  }

  private boolean load(Path folder) {
    try {
      LayerRecord layer =
          json.readValue(Files.readAllBytes(folder.resolve(RECORD)), LayerRecord.class);
      Digest chainId = Digest.parse(Objects.requireNonNull(layer.chainId(), "chainId"));
      if (!folder.equals(folderOf(chainId)) || !Files.isDirectory(folder.resolve(CONTENT))) {
        throw new IOException("the record is of another layer, or its content is missing");
      }
      if (layer.writtenInBoot() != null) {
        if (!layer.writtenInBoot().equals(boot)) {
          throw new IOException("the machine went down before the layer was on the disk");
        }
        unsettled.add(chainId);
      }
      if (layer.erofs()) {
        ErofsLayer.mount(folder);
      }
      layers.put(chainId, new Counted(layer(folder, chainId, layer), layer.erofs()));
      return true;
    } catch (IOException | RuntimeException e) {
      log.atWarn()
          .addKeyValue("layer", folder.getFileName())
          .log("layer dropped; pulling its images again brings it back: {}", e.getMessage());
      return false;
    }
  }

  private static Layer layer(Path folder, Digest chainId, LayerRecord record) {
    Path content = record.host() == null ? folder.resolve(CONTENT) : Path.of(record.host());
    Trees.Usage usage = record.usage();
    return new Layer(chainId, content, record.bytes(), usage.bytes(), usage.inodes());
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
            Path removed = takeOut(chainId, counted);
            layers.remove(chainId);
            unsettled.remove(chainId);
            folders.delete(removed, counted.layer.bytes(), counted.layer.inodes());
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

  private Path takeOut(Digest chainId, Counted counted) throws IOException {
    Path folder = folderOf(chainId);
    if (!counted.mounted) {
      return folders.takeOut(folder);
    }
    ErofsLayer.unmount(folder.resolve(CONTENT));
    try {
      return folders.takeOut(folder);
    } catch (IOException e) {
      ErofsLayer.mount(folder);
      throw e;
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
    Path scratch = folders.newIngest();
    try {
      ErofsLayer.check(scratch);
    } finally {
      folders.discard(scratch);
    }
  }

  /** A place to unpack a layer in. */
  public NewLayer begin() throws IOException {
    Path folder = folders.newIngest();
    NewLayer layer = new NewLayer(folders, folder);
    try {
      Files.createDirectory(layer.content());
    } catch (IOException e) {
      layer.close();
      throw e;
    }
    return layer;
  }

  /** Makes a layer part of the store, retained once for the caller. */
  public Layer publish(
      NewLayer made, Digest chainId, Digest diffId, @Nullable Digest blob, long bytes, long inodes)
      throws IOException {
    return publish(
        made,
        chainId,
        new LayerRecord(
            chainId.toString(),
            diffId.toString(),
            blob == null ? null : blob.toString(),
            bytes,
            inodes,
            made.packed(),
            boot,
            null,
            made.packed() != null,
            null));
  }

  /**
   * Makes a folder of this host a layer, retained once for the caller. It stays where it is, and
   * nothing is ever changed or deleted in it.
   */
  public Layer link(Path host, Digest chainId, Digest diffId) throws IOException {
    try (NewLayer made = begin()) {
      return publish(
          made,
          chainId,
          new LayerRecord(
              chainId.toString(),
              diffId.toString(),
              null,
              0,
              2,
              null,
              boot,
              host.toString(),
              false,
              null));
    }
  }

  private Layer publish(NewLayer made, Digest chainId, LayerRecord record) throws IOException {
    AtomicFile.write(made.folder().resolve(RECORD), json.writeValueAsBytes(record), false);
    Path folder = folderOf(chainId);
    synchronized (this) {
      Counted existing = layers.get(chainId);
      if (existing != null) {
        existing.users++;
        return existing.layer;
      }
      StoreFolders.publish(made.folder(), folder);
      made.published();
      if (record.erofs()) {
        show(folder);
      }
      Counted counted = new Counted(layer(folder, chainId, record), record.erofs());
      counted.users = 1;
      layers.put(chainId, counted);
      unsettled.add(chainId);
      return counted.layer;
    }
  }

  private void show(Path folder) throws IOException {
    try {
      ErofsLayer.mount(folder);
    } catch (IOException e) {
      folders.delete(folders.takeOut(folder), 0, 0);
      throw e;
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
      Path folder = folderOf(chainId);
      Optional<Trees.Usage> usage = measured(folder);
      Path file = folder.resolve(RECORD);
      synchronized (this) {
        Counted counted = layers.get(chainId);
        if (unsettled.contains(chainId) && counted != null && usage.isPresent()) {
          LayerRecord record = record(chainId);
          // Of an image the size is known; what is mounted takes nothing besides.
          record = record.settled(record.erofs() ? record.usage() : usage.get());
          AtomicFile.write(file, json.writeValueAsBytes(record), false);
          counted.layer = layer(folder, chainId, record);
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
        Path file = folderOf(layer.chainId()).resolve(RECORD);
        synchronized (this) {
          AtomicFile.write(
              file, json.writeValueAsBytes(record(layer.chainId()).sealed(seal)), false);
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
    return json.readValue(Files.readAllBytes(folderOf(chainId).resolve(RECORD)), LayerRecord.class);
  }

  // What unpacking counted is near the truth; a file system knows better, once it has all.
  private static Optional<Trees.Usage> measured(Path folder) throws IOException {
    try (Folder opened = Folder.open(folder)) {
      return Optional.of(Trees.usage(opened));
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        // Removed meanwhile.
        return Optional.empty();
      }
      throw e;
    }
  }

  /** What all layers take, with those that are being deleted. */
  public Usage usage() {
    long bytes = folders.beingDeleted().bytes();
    long inodes = folders.beingDeleted().inodes();
    for (Counted counted : layers.values()) {
      bytes += counted.layer.bytes();
      inodes += counted.layer.inodes();
    }
    return new Usage(bytes, inodes);
  }

  /** Bytes on disk, and inodes. */
  public record Usage(long bytes, long inodes) {
    public Usage plus(Usage other) {
      return new Usage(bytes + other.bytes, inodes + other.inodes);
    }
  }

  private Path folderOf(Digest chainId) {
    return folders.layers().resolve(chainId.hex());
  }
}
