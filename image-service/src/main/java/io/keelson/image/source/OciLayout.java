package io.keelson.image.source;

import io.keelson.image.manifest.Descriptor;
import io.keelson.image.reference.Digest;
import io.keelson.image.reference.ImageReference;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.error.UnsupportedException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The images of an OCI image layout (OCI image spec, "Image Layout Specification"). */
final class OciLayout implements Store {

  private static final String MARKER = "oci-layout";
  private static final String INDEX = "index.json";
  private static final String REF_NAME = "org.opencontainers.image.ref.name";
  private static final String CONTAINERD_NAME = "io.containerd.image.name";

  @Override
  public String format() {
    return "oci";
  }

  @Override
  public boolean recognises(ImagePlace place) throws IOException {
    return place.files().size(MARKER).isPresent() && place.files().size(INDEX).isPresent();
  }

  @Override
  public List<ImageArchive.Named> images(ImagePlace place) throws IOException {
    String name = place.path().toString();
    if (place.files().size(INDEX).isEmpty()) {
      throw new InvalidRequestException(name + " is no OCI layout: it has no " + INDEX);
    }
    ManifestResolver resolver = place.resolver();
    int maxManifest = resolver.maxManifest();
    ContentFiles files = place.files();
    byte[] index = files.read(INDEX, maxManifest);
    // Two entries may be two names of one image.
    Map<Digest, ImageArchive.Named> images = new LinkedHashMap<>();
    KeelsonException forOthers = new NotFoundException(name + " holds no image");
    for (Descriptor entry : resolver.parser().index(index, name + "/" + INDEX).manifests()) {
      try {
        SourceImage image =
            keyed(
                resolver.resolve(
                    read(files, entry, maxManifest),
                    entry.digest(),
                    content(files, maxManifest),
                    name));
        images.merge(
            entry.digest(), new ImageArchive.Named(image, names(entry)), OciLayout::merged);
      } catch (NotFoundException | UnsupportedException e) {
        // An image for other machines, or an artifact; the next may be the one.
        forOthers = e;
      }
    }
    if (images.isEmpty()) {
      throw forOthers;
    }
    return List.copyOf(images.values());
  }

  private static ImageArchive.Named merged(ImageArchive.Named a, ImageArchive.Named b) {
    List<String> names = new ArrayList<>(a.names());
    names.addAll(b.names());
    return new ImageArchive.Named(a.image(), names);
  }

  // The spec's own annotation is often a mere tag, which names nothing outside of its layout.
  private static List<String> names(Descriptor entry) {
    String full = entry.annotations().get(CONTAINERD_NAME);
    @Nullable String name = full != null ? full : entry.annotations().get(REF_NAME);
    if (name == null || (full == null && name.indexOf('/') < 0 && name.indexOf(':') < 0)) {
      return List.of();
    }
    return ImageReference.tryParse(name)
        .map(ImageReference::toString)
        .map(List::of)
        .orElseGet(List::of);
  }

  private static ManifestResolver.Content content(ContentFiles files, int maxManifest) {
    return new ManifestResolver.Content() {
      @Override
      public byte[] manifest(Descriptor descriptor) throws IOException {
        return read(files, descriptor, maxManifest);
      }

      @Override
      public byte[] blob(Descriptor descriptor) throws IOException {
        return read(files, descriptor, (int) descriptor.size());
      }
    };
  }

  private static byte[] read(ContentFiles files, Descriptor descriptor, int max)
      throws IOException {
    String path = path(descriptor.digest());
    byte[] content = files.read(path, max);
    if (content.length != descriptor.size()
        || !Digest.of(descriptor.digest().algorithm(), content).equals(descriptor.digest())) {
      throw new CorruptContentException(path + " does not have the size and digest of its name");
    }
    return content;
  }

  private static SourceImage keyed(SourceImage image) {
    return new SourceImage(
        image.digest(),
        image.config(),
        image.layers().stream()
            .map(layer -> layer.digest() == null ? layer : layer.withKey(path(layer.digest())))
            .toList());
  }

  private static String path(Digest digest) {
    return "blobs/" + digest.toString().replace(':', '/');
  }
}
