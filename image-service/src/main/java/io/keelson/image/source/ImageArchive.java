package io.keelson.image.source;

import io.keelson.image.request.Cancellation;
import io.keelson.sandbox.error.InvalidRequestException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;

/** Images in a file or folder on this host, of whichever kind. Safe for use by many threads. */
public final class ImageArchive implements LayerSource, AutoCloseable {

  /** All kinds; the first that recognises a place has it. */
  private static final List<Store> STORES =
      List.of(
          new OciLayout(),
          new DockerArchive(),
          new AppContainerImage(),
          new RootTar(),
          new RootFolder(),
          new HostFolder());

  private final ImagePlace place;
  private final Store store;
  private final List<Named> images;

  /**
   * An image in the archive.
   *
   * @param names what the archive calls it: full references, may be none
   */
  public record Named(SourceImage image, List<String> names) {
    public Named {
      names = List.copyOf(names);
    }
  }

  private ImageArchive(ImagePlace place, Store store, List<Named> images) {
    this.place = place;
    this.store = store;
    this.images = List.copyOf(images);
  }

  /**
   * Opens an archive and reads what images it has for this node.
   *
   * @param format what it is, one of {@link #formats}; {@code ""} for what it looks like
   * @param scratch an empty folder where a compressed archive may be laid out; what is in it is the
   *     caller's to delete
   * @throws InvalidRequestException if it is no archive of images, or not of that format
   * @throws io.keelson.sandbox.error.NotFoundException if there is no such file, or it has no image
   *     for this node
   */
  public static ImageArchive open(
      String format, Path path, Path scratch, ManifestResolver resolver, Cancellation cancellation)
      throws IOException {
    ImagePlace place = new ImagePlace(path, scratch, resolver, cancellation);
    try {
      Store store = format.isEmpty() ? recognise(place) : named(format);
      return new ImageArchive(place, store, store.images(place));
    } catch (IOException | RuntimeException e) {
      place.close();
      throw e;
    }
  }

  /** The words by which kinds are named. */
  public static List<String> formats() {
    return STORES.stream().map(Store::format).toList();
  }

  private static Store named(String format) {
    return STORES.stream()
        .filter(store -> store.format().equals(format))
        .findFirst()
        .orElseThrow(
            () ->
                new InvalidRequestException(
                    "unknown format \"%s\"; there are %s"
                        .formatted(format, String.join(", ", formats()))));
  }

  private static Store recognise(ImagePlace place) throws IOException {
    for (Store store : STORES) {
      if (store.recognises(place)) {
        return store;
      }
    }
    throw new InvalidRequestException(
        place.path()
            + " is no image archive: it has neither oci-layout with index.json (OCI layout) nor"
            + " manifest.json (docker-archive) nor manifest with rootfs (Appc); for a root file"
            + " system say so by tar:, dir: or host:");
  }

  /** In the archive's order. */
  public List<Named> images() {
    return images;
  }

  @Override
  public InputStream open(LayerBlob layer, Cancellation cancellation) throws IOException {
    return store.open(place, layer, cancellation);
  }

  @Override
  public void close() throws IOException {
    place.close();
  }
}
