package io.keelson.image.rootfs;

import io.keelson.image.store.ImageCatalog;
import io.keelson.image.store.StoredImage;
import io.keelson.linux.AtomicFile;
import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.KernelThreads;
import io.keelson.linux.Mounts;
import io.keelson.linux.RootDirectory;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.port.ImageVolumes;
import io.keelson.sandbox.port.PodUserNamespace;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Images as volumes: the layers of one, mounted read-only in the folder of the container that wants
 * them, so that they go with it.
 */
public final class VolumeProvisioner implements ImageVolumes {

  /** The kubelet knows the failure by this word (cri-api, pkg/errors). */
  private static final String FAILED = "ImageVolumeMountFailed: ";

  private static final long FLAGS = Mounts.MS_NOSUID | Mounts.MS_NODEV;

  private static final int MAX_VOLUMES = 10_000;

  private final RootFolders roots;
  private final ImageCatalog catalog;
  private final ImageLayers layers;
  private final KernelThreads threads;
  private final OverlayMount overlay;

  VolumeProvisioner(
      RootFolders roots,
      ImageCatalog catalog,
      ImageLayers layers,
      KernelThreads threads,
      OverlayMount overlay) {
    this.roots = roots;
    this.catalog = catalog;
    this.layers = layers;
    this.threads = threads;
    this.overlay = overlay;
  }

  @Override
  public ImageVolume mount(
      String containerId,
      String reference,
      String subPath,
      Optional<PodUserNamespace> owners,
      String fileLabel)
      throws IOException {
    checkSubPath(subPath);
    RootFolder root = roots.of(containerId);
    StoredImage image;
    try {
      image = catalog.addUser(reference, containerId);
    } catch (NotFoundException e) {
      throw new OperationFailedException(FAILED + e.getMessage(), e);
    }
    try {
      Path source =
          threads.call(() -> source(make(root, image, owners, fileLabel), subPath, reference));
      return new ImageVolume(source, image.id().toString());
    } catch (IOException e) {
      ImageLayers.throwIfFull("a volume of container " + containerId, e);
      throw new OperationFailedException(
          FAILED + "image " + reference + " can't be mounted: " + e.getMessage(), e);
    }
  }

  private static void checkSubPath(String subPath) {
    if (subPath.startsWith("/") || List.of(subPath.split("/", -1)).contains("..")) {
      throw new InvalidRequestException(
          FAILED + "sub path \"" + subPath + "\" is not relative, or leads out of the image");
    }
  }

  private Path make(
      RootFolder root, StoredImage image, Optional<PodUserNamespace> owners, String fileLabel)
      throws IOException {
    Files.createDirectories(root.volumes());
    RootFolder volume = next(root);
    // First of all: from here on a restart knows that the image is in use.
    AtomicFile.write(volume.image(), image.id().toString().getBytes(StandardCharsets.UTF_8), false);
    List<Path> all = layers.of(image);
    if (owners.isEmpty() || all.isEmpty()) {
      return ReadOnlyLayers.mount(overlay, volume, all, FLAGS, fileLabel);
    }
    try (MappedLayers mapped = MappedLayers.mount(volume.layers(), all, owners.get())) {
      return ReadOnlyLayers.mount(overlay, volume, mapped.paths(), FLAGS, fileLabel);
    }
  }

  private static RootFolder next(RootFolder root) throws IOException {
    for (int number = 0; number < MAX_VOLUMES; number++) {
      Path folder = root.volumes().resolve(Integer.toString(number));
      if (!Files.exists(folder)) {
        return new RootFolder(Files.createDirectory(folder));
      }
    }
    throw new IOException("more than " + MAX_VOLUMES + " volumes");
  }

  private static Path source(Path mounted, String subPath, String reference) throws IOException {
    if (subPath.isEmpty()) {
      return mounted;
    }
    // Links are followed, with the image's root as the root: nobody can change them any more.
    try (RootDirectory root = RootDirectory.open(mounted)) {
      return root.resolve(subPath);
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT) || e.is(Errno.ENOTDIR) || e.is(Errno.ELOOP)) {
        throw new OperationFailedException(
            FAILED + "image " + reference + " has no \"" + subPath + "\"", e);
      }
      throw e;
    }
  }
}
