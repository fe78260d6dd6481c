package io.keelson.image.rootfs;

import io.keelson.image.archive.UnpackLimits;
import io.keelson.image.store.ImageCatalog;
import io.keelson.image.store.LayerStore;
import io.keelson.image.store.StoredImage;
import io.keelson.linux.AtomicFile;
import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.KernelThreads;
import io.keelson.linux.Mounts;
import io.keelson.linux.tree.Folder;
import io.keelson.linux.tree.Trees;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.port.ImageDescription;
import io.keelson.sandbox.port.ImageVolumes;
import io.keelson.sandbox.port.Provisioner;
import io.keelson.sandbox.port.RootOptions;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Root file systems made of images by a backend, a folder for each container. Which images a
 * container uses is written there, so that it is known over restarts.
 */
public final class RootProvisioner implements Provisioner {

  private static final Logger log = LoggerFactory.getLogger(RootProvisioner.class);
  private static final String REMOVED_PREFIX = ".removed-";

  private final RootFolders roots;
  private final ImageCatalog catalog;
  private final ImageLayers layers;
  private final KernelThreads threads;
  private final KernelThreads slowThreads;
  private final Map<String, Backend> backends;
  private final String usualBackend;
  private final VolumeProvisioner volumes;
  private final RootChanges changes;
  private final AtomicLong removals = new AtomicLong(System.nanoTime());

  private RootProvisioner(
      RootFolders roots,
      RootBackend backend,
      ImageCatalog catalog,
      LayerStore layers,
      UnpackLimits limits,
      KernelThreads threads,
      KernelThreads slowThreads) {
    OverlayMount overlay = new OverlayMount();
    this.roots = roots;
    this.catalog = catalog;
    this.layers = new ImageLayers(layers);
    this.threads = threads;
    this.slowThreads = slowThreads;
    this.backends =
        Map.of(
            RootBackend.OVERLAY.word(), new OverlayBackend(overlay),
            RootBackend.EROFS.word(), new OverlayBackend(overlay),
            RootBackend.COPY.word(), new CopyBackend(overlay),
            RootBackend.BIND.word(), new BindBackend(overlay));
    this.usualBackend = backend.word();
    this.volumes = new VolumeProvisioner(roots, catalog, this.layers, threads, overlay);
    this.changes = new RootChanges(catalog, this.layers, limits, slowThreads);
  }

  /**
   * Takes note of the images that the root file systems which are there use.
   *
   * @param root a folder for them
   * @param backend makes new ones unless another is asked for; those that are there stay as they
   *     are
   * @param limits of what archives may make a root grow by
   * @param threads for mounts
   * @param slowThreads for what may take minutes
   */
  public static RootProvisioner open(
      Path root,
      RootBackend backend,
      ImageCatalog catalog,
      LayerStore layers,
      UnpackLimits limits,
      KernelThreads threads,
      KernelThreads slowThreads)
      throws IOException {
    RootProvisioner provisioner =
        new RootProvisioner(
            new RootFolders(Files.createDirectories(root)),
            backend,
            catalog,
            layers,
            limits,
            threads,
            slowThreads);
    for (RootFolder folder : provisioner.roots.all()) {
      provisioner.noteUser(folder.containerId(), folder);
      for (RootFolder volume : folder.eachVolume()) {
        provisioner.noteUser(folder.containerId(), volume);
      }
    }
    return provisioner;
  }

  private void noteUser(String containerId, RootFolder folder) {
    try {
      catalog.addUser(Files.readString(folder.image()), containerId);
    } catch (IOException | NotFoundException | InvalidRequestException e) {
      log.atWarn()
          .addKeyValue("container", containerId)
          .log("root file system without its image: {}", e.getMessage());
    }
  }

  /** Volumes in the same folders. Always the same object. */
  public ImageVolumes volumes() {
    return volumes;
  }

  @Override
  public Hold hold(String reference) {
    ImageCatalog.Held held = catalog.hold(reference);
    return new Hold() {
      @Override
      public ImageDescription image() {
        return held.image().description();
      }

      @Override
      public void close() {
        held.close();
      }
    };
  }

  @Override
  public Path provision(String containerId, String imageId, RootOptions options)
      throws IOException {
    RootFolder folder = roots.of(containerId);
    Backend backend = backend(options.backend());
    KernelThreads makers = backend.isSlow() ? slowThreads : threads;
    StoredImage image = catalog.addUser(imageId, containerId);
    try {
      if (image.config().artifact()) {
        throw new InvalidRequestException(
            "%s is an artifact: it can be mounted, but no container be made of it"
                .formatted(imageId));
      }
      return makers.call(
          () -> {
            takeAway(folder);
            make(folder, image, backend, options);
            return folder.merged();
          });
    } catch (IOException | RuntimeException e) {
      undo(containerId, e);
      ImageLayers.throwIfFull("the root file system of container " + containerId, e);
      throw e;
    }
  }

  private Backend backend(String name) {
    Backend backend = backends.get(name.isEmpty() ? usualBackend : name);
    if (backend == null) {
      throw new InvalidRequestException(
          "there is no snapshot backend \"%s\"; there are: %s"
              .formatted(name, String.join(", ", new TreeSet<>(backends.keySet()))));
    }
    return backend;
  }

  private void make(RootFolder folder, StoredImage image, Backend backend, RootOptions options)
      throws IOException {
    Files.createDirectory(folder.path());
    // First of all: from here on a restart knows that the image is in use.
    AtomicFile.write(folder.image(), image.id().toString().getBytes(StandardCharsets.UTF_8), false);
    Files.createDirectory(folder.merged());
    List<Path> all = layers.of(image);
    List<Path> some = all.isEmpty() ? List.of(Files.createDirectory(folder.empty())) : all;
    if (options.owners().isEmpty()) {
      backend.make(folder, some, options.fileLabel());
      return;
    }
    try (MappedLayers mapped = MappedLayers.mount(folder.layers(), some, options.owners().get())) {
      backend.make(folder, mapped.paths(), options.fileLabel());
    }
  }

  @Override
  public Optional<ImageDescription> describe(String imageId) {
    return catalog.find(imageId).map(StoredImage::description);
  }

  @Override
  public Path rootfs(String containerId) {
    return roots.of(containerId).merged();
  }

  @Override
  public List<String> writeChanges(String containerId, OutputStream tar) throws IOException {
    return changes.write(roots.of(containerId), tar);
  }

  @Override
  public void applyChanges(String containerId, Path tar, List<String> deleted) throws IOException {
    changes.apply(roots.of(containerId), tar, deleted);
  }

  @Override
  public void release(String containerId) throws IOException {
    RootFolder folder = roots.of(containerId);
    threads.run(() -> takeAway(folder));
    catalog.removeUser(containerId);
  }

  private void takeAway(RootFolder folder) throws IOException {
    if (!Files.isDirectory(folder.path())) {
      return;
    }
    folder.detach();
    String removed = REMOVED_PREFIX + removals.incrementAndGet();
    try (Folder parent = Folder.open(roots.path())) {
      parent.move(folder.containerId(), parent, removed);
      Trees.delete(parent, removed);
    }
  }

  private void undo(String containerId, Exception failure) {
    try {
      release(containerId);
    } catch (IOException | RuntimeException e) {
      failure.addSuppressed(e);
    }
  }

  @Override
  public void recover(Collection<String> containerIds) throws IOException {
    Set<String> known = Set.copyOf(containerIds);
    try (Folder parent = Folder.open(roots.path())) {
      for (String name : parent.list()) {
        // Parts of an earlier removal; ids of containers begin otherwise.
        if (name.startsWith(".")) {
          threads.run(() -> Trees.delete(parent, name));
        }
      }
    }
    for (RootFolder folder : roots.all()) {
      if (!known.contains(folder.containerId())) {
        log.atInfo()
            .addKeyValue("container", folder.containerId())
            .log("root file system of a container that is gone is released");
        release(folder.containerId());
      }
    }
  }

  /** What a container has written, if it has a root file system. */
  @Override
  public Optional<Trees.Usage> usage(String containerId) throws IOException {
    RootFolder folder = roots.of(containerId);
    return Files.isDirectory(folder.written())
        ? Optional.of(threads.call(() -> usage(folder)))
        : Optional.empty();
  }

  /** What all containers have written. */
  public Trees.Usage usage() throws IOException {
    long bytes = 0;
    long inodes = 0;
    for (RootFolder folder : roots.all()) {
      Trees.Usage usage = threads.call(() -> usage(folder));
      bytes += usage.bytes();
      inodes += usage.inodes();
    }
    return new Trees.Usage(bytes, inodes);
  }

  private static Trees.Usage usage(RootFolder folder) throws IOException {
    Path written = folder.written();
    if (Mounts.isMountPoint(written)) {
      // Read-only: nothing in it is the container's.
      return new Trees.Usage(0, 0);
    }
    try (Folder opened = Folder.open(written)) {
      return Trees.usage(opened);
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        return new Trees.Usage(0, 0);
      }
      throw e;
    }
  }
}
