package io.keelson.image.store;

import io.keelson.image.manifest.ImageConfig;
import io.keelson.image.reference.Digest;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.NotFoundException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The images that are here, their names, and who uses them. Reads come from memory and wait for
 * nothing, nor does who begins or ends to use an image; changes are on disk when they return (and
 * survive a power cut after the next sync of the store). Safe for use by many threads.
 */
public final class ImageCatalog {

  private static final Logger log = LoggerFactory.getLogger(ImageCatalog.class);

  private final ImageRecords records;
  private final LayerStore layers;

  /** Its lock makes one step of finding an image and noting its user. Never held over I/O. */
  private final ImageUsers users = new ImageUsers();

  /** Held by who changes records, while the disk works too. */
  private final Object changes = new Object();

  /** Written by who has the lock of changes, and without an image only with that of users too. */
  private volatile ImageIndex index;

  private ImageCatalog(ImageRecords records, LayerStore layers, ImageIndex index) {
    this.records = records;
    this.layers = layers;
    this.index = index;
  }

  /**
   * Reads all records. An image whose record is broken or whose layers are gone is dropped with a
   * line in the log; layers that no image needs are deleted.
   */
  public static ImageCatalog open(StoreFolders folders, LayerStore layers) throws IOException {
    ImageRecords records = new ImageRecords(folders);
    ImageIndex index = ImageIndex.EMPTY;
    for (ImageRecords.Loaded loaded : records.loadAll()) {
      Optional<Long> size = retainAll(layers, loaded.config().chainIds());
      if (size.isEmpty()) {
        log.atWarn()
            .addKeyValue("image", loaded.record().id())
            .log("image dropped, since it lacks a layer: {}", loaded.record().tags());
        records.remove(loaded.config().id());
        continue;
      }
      ImageRecord unclaimed = index.withoutNamesOf(loaded.record());
      if (!unclaimed.equals(loaded.record())) {
        rewriteIfPossible(records, unclaimed);
      }
      index = index.with(StoredImage.of(loaded.config(), unclaimed, size.get()));
    }
    layers.releaseUnused();
    return new ImageCatalog(records, layers, index);
  }

  private static Optional<Long> retainAll(LayerStore layers, List<Digest> chainIds)
      throws IOException {
    List<Digest> retained = new ArrayList<>();
    long size = 0;
    for (Digest chainId : chainIds) {
      Optional<Layer> layer = layers.retain(chainId);
      if (layer.isEmpty()) {
        layers.release(retained);
        return Optional.empty();
      }
      retained.add(chainId);
      size += layer.get().size();
    }
    return Optional.of(size);
  }

  /** All images, sorted by id. */
  public List<StoredImage> list() {
    return index.images();
  }

  /**
   * By tag, digest, id or unique beginning of an id.
   *
   * @throws io.keelson.sandbox.error.InvalidRequestException if the beginning is of several
   */
  public Optional<StoredImage> find(String reference) {
    return index.find(reference);
  }

  public Optional<StoredImage> find(Digest id) {
    return index.byId(id);
  }

  /**
   * Adds names to an image that is here. Other images lose them.
   *
   * @return false if the image is not here
   */
  public boolean addNames(Digest id, Collection<String> tags, Collection<String> digests)
      throws IOException {
    synchronized (changes) {
      Optional<StoredImage> image = index.byId(id);
      if (image.isEmpty()) {
        return false;
      }
      ImageRecord before = index.record(image.get());
      ImageRecord after = records.merge(before, tags, digests);
      if (!after.tags().equals(before.tags()) || !after.digests().equals(before.digests())) {
        records.rewrite(after);
        put(image.get().config(), after, image.get().description().size());
      }
      return true;
    }
  }

  /**
   * Makes an image visible. All its layers must have been retained once for it: that is the
   * catalog's from here on, also if the image was here already or the call throws.
   */
  public void add(ImageConfig config, Collection<String> tags, Collection<String> digests)
      throws IOException {
    boolean added = false;
    try {
      synchronized (changes) {
        if (!addNames(config.id(), tags, digests)) {
          ImageRecord record = records.create(config, tags, digests);
          put(config, record, size(config));
          added = true;
        }
      }
    } finally {
      if (!added) {
        layers.release(config.chainIds());
      }
    }
  }

  // Names are of one image at a time: the newest.
  private void put(ImageConfig config, ImageRecord record, long size) {
    ImageIndex next = index;
    for (StoredImage other : index.sharingNames(record)) {
      ImageRecord rest = index.record(other).without(record, record.changedAt());
      next = next.with(StoredImage.of(other.config(), rest, other.description().size()));
      rewriteIfPossible(records, rest);
    }
    index = next.with(StoredImage.of(config, record, size));
  }

  // Where it fails, the next start sees by the times of both records whose name it is.
  private static void rewriteIfPossible(ImageRecords records, ImageRecord record) {
    try {
      records.rewrite(record);
    } catch (IOException e) {
      log.atWarn()
          .addKeyValue("image", record.id())
          .log("record of an image that lost a name not rewritten: {}", e.getMessage());
    }
  }

  /**
   * Keeps an image from removal.
   *
   * @throws NotFoundException if there is none
   */
  public Held hold(String reference) {
    synchronized (users) {
      StoredImage image =
          find(reference)
              .orElseThrow(() -> new NotFoundException("no image \"" + reference + "\" is here"));
      return new Held(image, users.hold(image.id()));
    }
  }

  /**
   * A container uses the image until {@link #removeUser}, perhaps beside others. Harmless if it
   * does already.
   */
  public StoredImage addUser(String imageId, String containerId) {
    synchronized (users) {
      StoredImage image =
          find(imageId)
              .orElseThrow(() -> new NotFoundException("no image \"" + imageId + "\" is here"));
      users.add(containerId, image.id());
      return image;
    }
  }

  /** The container uses no images any more. Harmless if it did not. */
  public void removeUser(String containerId) {
    users.remove(containerId);
  }

  /**
   * Removes an image with all its names, and its layers if no other image has them: they are gone
   * from the store at once, and deleted soon. Harmless if there is none.
   *
   * @throws FailedPreconditionException while it is used or held
   */
  public void remove(String reference) throws IOException {
    StoredImage image;
    Path taken;
    synchronized (changes) {
      image = find(reference).orElse(null);
      if (image == null) {
        return;
      }
      forgetUnused(image, reference);
      try {
        taken = records.takeOut(image.id());
      } catch (IOException | RuntimeException e) {
        index = index.with(image);
        throw e;
      }
    }
    records.delete(taken);
    layers.release(image.chainIds());
  }

  // From here on nobody comes to use it.
  private void forgetUnused(StoredImage image, String reference) {
    synchronized (users) {
      Optional<String> user = users.of(image.id());
      if (user.isPresent()) {
        throw new FailedPreconditionException(
            "image %s (%s) is used by %s".formatted(reference, image.id(), user.get()));
      }
      index = index.without(image.id());
    }
  }

  /** What images take: their layers, those that are being deleted too, and their records. */
  public StoreUsage usage() {
    StoreUsage usage = layers.usage();
    for (StoredImage image : index.images()) {
      usage = usage.plus(ImageRecords.usage(image.config()));
    }
    return usage;
  }

  /** The same ever after: a status must not differ from the one before it. */
  private long size(ImageConfig config) {
    return config.chainIds().stream()
        .mapToLong(chainId -> layers.find(chainId).map(Layer::size).orElse(0L))
        .sum();
  }

  /** A held image; closing it twice is harmless. */
  public static final class Held implements AutoCloseable {

    private final StoredImage image;
    private final ImageUsers.Hold hold;

    private Held(StoredImage image, ImageUsers.Hold hold) {
      this.image = image;
      this.hold = hold;
    }

    public StoredImage image() {
      return image;
    }

    @Override
    public void close() {
      hold.close();
    }
  }
}
