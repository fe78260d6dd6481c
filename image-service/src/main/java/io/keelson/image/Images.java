package io.keelson.image;

import io.keelson.image.manifest.ManifestParser;
import io.keelson.image.manifest.Platform;
import io.keelson.image.pull.ImageAssembly;
import io.keelson.image.pull.ImageMetrics;
import io.keelson.image.pull.Settler;
import io.keelson.image.pull.SharedPulls;
import io.keelson.image.reference.Digest;
import io.keelson.image.reference.ImageReference;
import io.keelson.image.registry.RegistryClients;
import io.keelson.image.registry.RegistrySource;
import io.keelson.image.request.Cancellation;
import io.keelson.image.request.PullProgress;
import io.keelson.image.request.PullRequest;
import io.keelson.image.request.RegistryCredentials;
import io.keelson.image.rootfs.RootBackend;
import io.keelson.image.rootfs.RootProvisioner;
import io.keelson.image.signature.SignatureCheck;
import io.keelson.image.source.ManifestResolver;
import io.keelson.image.source.SourceImage;
import io.keelson.image.store.ImageCatalog;
import io.keelson.image.store.LayerStore;
import io.keelson.image.store.StoreCheck;
import io.keelson.image.store.StoreFolders;
import io.keelson.image.store.StoreUsage;
import io.keelson.image.store.StoredImage;
import io.keelson.linux.KernelThreads;
import io.keelson.linux.MountInfo;
import io.keelson.linux.tree.Trees;
import io.keelson.sandbox.port.ImageDescription;
import io.keelson.sandbox.port.ImageVolumes;
import io.keelson.sandbox.port.PlainArchives;
import io.keelson.sandbox.port.Provisioner;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The images of a node. One id names an image everywhere: the digest of its config. Wherever a
 * method takes a reference, that is a tag, a digest, an id or a unique beginning of an id. Safe for
 * use by many threads; lists and statuses come from memory and wait for nothing.
 */
public final class Images implements AutoCloseable {

  private static final int KERNEL_THREADS = 4;
  private static final int SLOW_THREADS = 4;

  private final ImageSettings settings;
  private final KernelThreads threads;

  /** For what may take minutes, so that no mount waits for it. */
  private final KernelThreads slowThreads = new KernelThreads(SLOW_THREADS);

  private final StoreFolders folders;
  private final LayerStore layers;
  private final ImageCatalog catalog;
  private final RootProvisioner provisioner;
  private final ImageAssembly assembly;
  private final Settler settler;
  private final SignatureCheck signatures;
  private final ImageMetrics metrics = new ImageMetrics();
  private final RegistryClients registries;
  private final SharedPulls pulls;
  private final ManifestResolver resolver;

  private Images(ImageSettings settings, KernelThreads threads, StoreFolders folders)
      throws IOException {
    this.settings = settings;
    this.threads = threads;
    this.folders = folders;
    this.layers = LayerStore.open(folders);
    if (settings.backend() == RootBackend.EROFS) {
      layers.checkPacking();
    }
    this.catalog = ImageCatalog.open(folders, layers);
    this.provisioner =
        RootProvisioner.open(
            settings.root().resolve("rootfs"),
            settings.backend(),
            catalog,
            layers,
            settings.limits(),
            threads,
            slowThreads);
    this.assembly =
        new ImageAssembly(
            catalog,
            layers,
            settings.limits(),
            settings.parallelLayers(),
            settings.keepBlobs(),
            settings.backend() == RootBackend.EROFS,
            metrics);
    this.resolver =
        new ManifestResolver(new ManifestParser(), Platform.host(), settings.maxManifest());
    this.registries = new RegistryClients(settings.registries());
    this.signatures = new SignatureCheck(settings.signaturePolicy());
    this.pulls = new SharedPulls(this::pull);
    this.settler = new Settler(layers, settings.sealAfter());
    // Layers of this boot that an earlier run left unsettled.
    settler.request();
  }

  /**
   * Opens the store below {@link ImageSettings#root}, makes it if there is none, and takes away
   * what an earlier run left half made. A record that can't be read is dropped with a line in the
   * log.
   */
  public static Images open(ImageSettings settings) throws IOException {
    KernelThreads threads = new KernelThreads(KERNEL_THREADS);
    StoreFolders folders = null;
    try {
      folders = StoreFolders.open(settings.root().resolve("images"), threads);
      return new Images(settings, threads, folders);
    } catch (IOException | RuntimeException e) {
      if (folders != null) {
        folders.close();
      }
      threads.close();
      throw Failures.explained("image store " + settings.root(), asIoException(e));
    }
  }

  private static IOException asIoException(Exception e) {
    if (e instanceof RuntimeException unchecked) {
      throw unchecked;
    }
    return e instanceof IOException io ? io : new IOException(e);
  }

  /** Root file systems from these images. Always the same object. */
  public Provisioner provisioner() {
    return provisioner;
  }

  /** Tars of plain files, which may grow to no more than a layer may. */
  public PlainArchives archives() {
    return new PlainTars(settings.limits());
  }

  /** Volumes from these images. Always the same object. */
  public ImageVolumes volumes() {
    return provisioner.volumes();
  }

  /**
   * Fetches an image, or finds that it is here in full already; the registry is asked in any case.
   * Pulls of one reference by the same credentials at the same time are done once.
   *
   * @return the image's id
   * @throws io.keelson.sandbox.error.InvalidRequestException if the reference is none, or the image
   *     breaks the rules of its formats or a limit
   * @throws io.keelson.sandbox.error.NotFoundException if the registry has no such image, or not
   *     for this platform
   * @throws io.keelson.sandbox.error.OperationFailedException if the registry can't be reached (the
   *     message begins with {@code RegistryUnavailable}, as CRI wants), refuses, or serves what its
   *     digest belies; and if the policy does not accept the image ({@code
   *     SignatureValidationFailed})
   * @throws io.keelson.sandbox.error.ResourceExhaustedException if the disk is full
   * @throws java.util.concurrent.CancellationException if the caller cancelled or its thread was
   *     interrupted
   */
  public String pull(PullRequest request) throws IOException {
    ImageReference reference = ImageReference.parse(request.reference());
    return pulls.pull(reference, request);
  }

  private String pull(
      ImageReference reference,
      RegistryCredentials credentials,
      PullProgress progress,
      Cancellation cancellation)
      throws IOException {
    return metrics.pull(() -> fetch(reference, credentials, progress, cancellation));
  }

  private String fetch(
      ImageReference reference,
      RegistryCredentials credentials,
      PullProgress progress,
      Cancellation cancellation)
      throws IOException {
    try {
      folders.makeRoom();
      long start = System.nanoTime();
      RegistrySource source = registries.source(reference, credentials, resolver);
      SourceImage image = source.resolve(cancellation);
      Digest digest = Objects.requireNonNull(image.digest());
      long resolved = System.nanoTime();
      metrics.took(ImageMetrics.Stage.RESOLVE, resolved - start);
      signatures.check(reference, digest);
      metrics.took(ImageMetrics.Stage.VERIFY, System.nanoTime() - resolved);
      List<String> tags = reference.tag() == null ? List.of() : List.of(reference.toString());
      List<String> digests = List.of(reference.withDigest(digest).toString());
      assembly.assemble(image, source, tags, digests, progress, cancellation);
      settler.request();
      return image.config().id().toString();
    } catch (IOException e) {
      cancellation.check();
      throw Failures.explained("pull of " + reference, e);
    }
  }

  /**
   * Takes the images of a file or folder on this host.
   *
   * @param format {@code oci}, {@code docker-archive} or {@code aci}, which may be left out as
   *     {@code ""}; {@code tar} for a root file system in a tar or jar, {@code dir} for one in a
   *     folder that is copied, {@code host} for one in a folder that stays where it is
   * @param name gives the image this name instead of those that the archive says; only if it holds
   *     one image
   * @return the ids, in the archive's order
   * @throws io.keelson.sandbox.error.InvalidRequestException if it is no such archive, or names
   *     don't fit
   * @throws io.keelson.sandbox.error.NotFoundException if there is no such file, or no image for
   *     this node
   */
  public List<String> importArchive(
      String format,
      Path archive,
      @Nullable String name,
      PullProgress progress,
      Cancellation cancellation)
      throws IOException {
    return metrics.pull(() -> take(format, archive, name, progress, cancellation));
  }

  private List<String> take(
      String format,
      Path archive,
      @Nullable String name,
      PullProgress progress,
      Cancellation cancellation)
      throws IOException {
    try {
      folders.makeRoom();
      List<String> ids =
          new ArchiveImport(assembly, folders, resolver)
              .run(format, archive, name, progress, cancellation);
      settler.request();
      return ids;
    } catch (IOException e) {
      cancellation.check();
      throw Failures.explained("import of " + archive, e);
    }
  }

  /** What pulls cost, for whoever shows metrics. Always the same object. */
  public ImageMetrics metrics() {
    return metrics;
  }

  /** All images, sorted by id. */
  public List<ImageDescription> list() {
    return catalog.list().stream().map(StoredImage::description).toList();
  }

  /** The image, if it is here. */
  public Optional<ImageDescription> status(String reference) {
    return catalog.find(reference).map(StoredImage::description);
  }

  /** The image with all that is known of it, if it is here. */
  public Optional<ImageDetails> details(String reference) {
    return catalog.find(reference).map(this::details);
  }

  private ImageDetails details(StoredImage image) {
    List<ImageDetails.LayerDetails> parts = new ArrayList<>();
    for (int i = 0; i < image.chainIds().size(); i++) {
      Digest chainId = image.chainIds().get(i);
      Digest diffId = image.config().diffIds().get(i);
      layers
          .find(chainId)
          .ifPresent(
              layer ->
                  parts.add(
                      new ImageDetails.LayerDetails(
                          diffId.toString(), chainId.toString(), layer.bytes(), layer.inodes())));
    }
    return new ImageDetails(
        image.description(),
        image.config().json(),
        image.config().artifact(),
        parts,
        isPinned(image.description()));
  }

  /** Whether the settings say that garbage collection must leave the image alone. */
  public boolean isPinned(ImageDescription image) {
    return image.repoTags().stream()
        .anyMatch(tag -> settings.pinned().stream().anyMatch(pattern -> matches(pattern, tag)));
  }

  private static boolean matches(String pattern, String tag) {
    if (pattern.endsWith("*")) {
      return tag.startsWith(pattern.substring(0, pattern.length() - 1));
    }
    return ImageReference.tryParse(pattern).map(name -> name.toString().equals(tag)).orElse(false);
  }

  /**
   * Removes the image with all its names and gives its space back, that of a large one in the
   * background. Harmless if there is none.
   *
   * @throws io.keelson.sandbox.error.FailedPreconditionException while a container uses it, as its
   *     root or as a volume, or is being made from it
   */
  public void remove(String reference) throws IOException {
    catalog.remove(reference);
  }

  /**
   * Compares all of the store with its digests, which may take long. Changes nothing.
   *
   * @throws java.util.concurrent.CancellationException if the caller has gone
   */
  public StoreCheck.Report check(Cancellation cancellation) throws IOException {
    return slowThreads.call(
        () -> new StoreCheck(folders, layers, catalog).run(cancellation::check));
  }

  /** What images and layers take, with what is being deleted. From memory. */
  public FileSystemUsage imageUsage() throws IOException {
    StoreUsage usage = catalog.usage();
    return new FileSystemUsage(
        mountPoint(settings.root().resolve("images")), usage.bytes(), usage.inodes());
  }

  /** What the writable layers of all containers take. Reads their folders. */
  public FileSystemUsage containerUsage() throws IOException {
    Trees.Usage usage = provisioner.usage();
    return new FileSystemUsage(
        mountPoint(settings.root().resolve("rootfs")), usage.bytes(), usage.inodes());
  }

  private static Path mountPoint(Path path) throws IOException {
    return MountInfo.containing(path).map(MountInfo::mountPoint).orElse(path);
  }

  /** Ends what is under way and brings to disk what is not there yet. */
  @Override
  public void close() {
    pulls.cancelAll();
    settler.close();
    layers.close();
    folders.close();
    threads.close();
    slowThreads.close();
  }
}
