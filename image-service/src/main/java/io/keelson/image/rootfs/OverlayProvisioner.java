package io.keelson.image.rootfs;

import io.keelson.image.store.ImageCatalog;
import io.keelson.image.store.Layer;
import io.keelson.image.store.LayerStore;
import io.keelson.image.store.StoredImage;
import io.keelson.linux.AtomicFile;
import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.KernelThreads;
import io.keelson.linux.Mounts;
import io.keelson.linux.tree.FileStatus;
import io.keelson.linux.tree.Folder;
import io.keelson.linux.tree.Trees;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.error.ResourceExhaustedException;
import io.keelson.sandbox.port.ImageDescription;
import io.keelson.sandbox.port.Provisioner;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Root file systems as overlays: the image's layers below, a folder for each container above. Which
 * image a container uses is written beside its folders, so that it is known over restarts.
 */
public final class OverlayProvisioner implements Provisioner {

  private static final Logger log = LoggerFactory.getLogger(OverlayProvisioner.class);
  private static final Pattern CONTAINER_ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,127}");
  private static final String REMOVED_PREFIX = ".removed-";

  private final Path root;
  private final ImageCatalog catalog;
  private final LayerStore layers;
  private final KernelThreads threads;
  private final OverlayMount overlay = new OverlayMount();
  private final AtomicLong removals = new AtomicLong(System.nanoTime());

  private OverlayProvisioner(
      Path root, ImageCatalog catalog, LayerStore layers, KernelThreads threads) {
    this.root = root;
    this.catalog = catalog;
    this.layers = layers;
    this.threads = threads;
  }

  /**
   * Takes note of the images that the root file systems which are there use.
   *
   * @param root a folder for them
   */
  public static OverlayProvisioner open(
      Path root, ImageCatalog catalog, LayerStore layers, KernelThreads threads)
      throws IOException {
    OverlayProvisioner provisioner =
        new OverlayProvisioner(Files.createDirectories(root), catalog, layers, threads);
    for (RootFolder folder : provisioner.folders()) {
      provisioner.noteUser(folder);
    }
    return provisioner;
  }

  private void noteUser(RootFolder folder) {
    try {
      catalog.addUser(Files.readString(folder.image()), folder.containerId());
    } catch (IOException | NotFoundException | InvalidRequestException e) {
      log.atWarn()
          .addKeyValue("container", folder.containerId())
          .log("root file system without its image: {}", e.getMessage());
    }
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
  public Path provision(String containerId, String imageId) throws IOException {
    RootFolder folder = folder(containerId);
    StoredImage image = catalog.addUser(imageId, containerId);
    try {
      return threads.call(
          () -> {
            takeAway(folder);
            make(folder, image);
            return folder.merged();
          });
    } catch (IOException | RuntimeException e) {
      undo(containerId, e);
      throwIfFull(containerId, e);
      throw e;
    }
  }

  @Override
  public Optional<ImageDescription> describe(String imageId) {
    return catalog.find(imageId).map(StoredImage::description);
  }

  @Override
  public Path rootfs(String containerId) {
    return folder(containerId).merged();
  }

  private void make(RootFolder folder, StoredImage image) throws IOException {
    Files.createDirectory(folder.path());
    // First of all: from here on a restart knows that the image is in use.
    AtomicFile.write(folder.image(), bytes(image), false);
    Files.createDirectory(folder.upper());
    Files.createDirectory(folder.work());
    Files.createDirectory(folder.merged());
    mount(folder, image);
  }

  private static byte[] bytes(StoredImage image) {
    return image.id().toString().getBytes(StandardCharsets.UTF_8);
  }

  private void mount(RootFolder folder, StoredImage image) throws IOException {
    List<Path> lower = new ArrayList<>();
    for (var chainId : image.chainIds()) {
      Layer layer =
          layers.find(chainId).orElseThrow(() -> new IOException("layer " + chainId + " has gone"));
      lower.addFirst(layer.content());
    }
    if (lower.isEmpty()) {
      lower.add(Files.createDirectories(folder.empty()));
    }
    likeRoot(lower.getFirst(), folder.upper());
    overlay.mount(lower, folder.upper(), folder.work(), folder.merged());
  }

  // The merged root looks as the upper folder does, not as the image's root.
  private static void likeRoot(Path top, Path upper) throws IOException {
    try (Folder model = Folder.open(top);
        Folder folder = Folder.open(upper)) {
      Optional<FileStatus> status = model.status(".");
      if (status.isPresent()) {
        folder.setOwner(".", status.get().uid(), status.get().gid());
        folder.setPermissions(".", status.get().permissions());
      }
    }
  }

  @Override
  public void release(String containerId) throws IOException {
    RootFolder folder = folder(containerId);
    threads.run(() -> takeAway(folder));
    catalog.removeUser(containerId);
  }

  private void takeAway(RootFolder folder) throws IOException {
    if (!Files.isDirectory(folder.path())) {
      return;
    }
    detach(folder);
    String removed = REMOVED_PREFIX + removals.incrementAndGet();
    try (Folder parent = Folder.open(root)) {
      parent.move(folder.containerId(), parent, removed);
      Trees.delete(parent, removed);
    }
  }

  // Nothing may be deleted through a mount that is still there.
  private static void detach(RootFolder folder) throws IOException {
    while (Mounts.detach(folder.merged())) {
      // Mounts may lie on each other after an unlucky restart.
    }
    if (Mounts.isMountPoint(folder.merged())) {
      throw new IOException(folder.merged() + " stays mounted");
    }
  }

  private void undo(String containerId, Exception failure) {
    try {
      release(containerId);
    } catch (IOException | RuntimeException e) {
      failure.addSuppressed(e);
    }
  }

  private static void throwIfFull(String containerId, Exception failure) {
    if (failure instanceof ErrnoException errno
        && (errno.is(Errno.ENOSPC) || errno.is(Errno.EDQUOT))) {
      throw new ResourceExhaustedException(
          "no space for the root file system of container " + containerId, failure);
    }
  }

  @Override
  public void recover(Collection<String> containerIds) throws IOException {
    Set<String> known = Set.copyOf(containerIds);
    try (Folder parent = Folder.open(root)) {
      for (String name : parent.list()) {
        // Parts of an earlier removal; ids of containers begin otherwise.
        if (name.startsWith(".")) {
          threads.run(() -> Trees.delete(parent, name));
        }
      }
    }
    for (RootFolder folder : folders()) {
      if (!known.contains(folder.containerId())) {
        log.atInfo()
            .addKeyValue("container", folder.containerId())
            .log("root file system of a container that is gone is released");
        release(folder.containerId());
      }
    }
  }

  /** What a container has written, if it has a root file system. */
  public Optional<Trees.Usage> usage(String containerId) throws IOException {
    RootFolder folder = folder(containerId);
    return Files.isDirectory(folder.upper())
        ? Optional.of(threads.call(() -> usage(folder)))
        : Optional.empty();
  }

  /** What all containers have written. */
  public Trees.Usage usage() throws IOException {
    long bytes = 0;
    long inodes = 0;
    for (RootFolder folder : folders()) {
      Trees.Usage usage = threads.call(() -> usage(folder));
      bytes += usage.bytes();
      inodes += usage.inodes();
    }
    return new Trees.Usage(bytes, inodes);
  }

  private static Trees.Usage usage(RootFolder folder) throws IOException {
    try (Folder upper = Folder.open(folder.upper())) {
      return Trees.usage(upper);
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        return new Trees.Usage(0, 0);
      }
      throw e;
    }
  }

  private List<RootFolder> folders() throws IOException {
    List<RootFolder> folders = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(root)) {
      for (Path entry : entries) {
        if (CONTAINER_ID.matcher(entry.getFileName().toString()).matches()) {
          folders.add(new RootFolder(entry));
        }
      }
    }
    return folders;
  }

  private RootFolder folder(String containerId) {
    if (!CONTAINER_ID.matcher(containerId).matches()) {
      throw new InvalidRequestException("no id of a container: \"" + containerId + "\"");
    }
    return new RootFolder(root.resolve(containerId));
  }
}
