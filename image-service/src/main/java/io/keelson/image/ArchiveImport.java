package io.keelson.image;

import io.keelson.image.pull.GuardedProgress;
import io.keelson.image.pull.ImageAssembly;
import io.keelson.image.reference.Digest;
import io.keelson.image.reference.ImageReference;
import io.keelson.image.request.Cancellation;
import io.keelson.image.request.PullProgress;
import io.keelson.image.source.ImageArchive;
import io.keelson.image.source.ManifestResolver;
import io.keelson.image.store.StoreFolders;
import io.keelson.sandbox.error.InvalidRequestException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Takes images from archives on this host. */
final class ArchiveImport {

  private final ImageAssembly assembly;
  private final StoreFolders folders;
  private final ManifestResolver resolver;

  ArchiveImport(ImageAssembly assembly, StoreFolders folders, ManifestResolver resolver) {
    this.assembly = assembly;
    this.folders = folders;
    this.resolver = resolver;
  }

  List<String> run(
      String format,
      Path path,
      @Nullable String name,
      PullProgress listener,
      Cancellation cancellation)
      throws IOException {
    PullProgress progress = new GuardedProgress(listener);
    @Nullable ImageReference given = name == null ? null : ImageReference.parse(name);
    if (given != null && given.tag() == null) {
      throw new InvalidRequestException("an import is named by a tag, not by a digest: " + given);
    }
    Path scratch = folders.newIngest();
    try (ImageArchive archive = ImageArchive.open(format, path, scratch, resolver, cancellation)) {
      if (given != null && archive.images().size() > 1) {
        throw new InvalidRequestException(
            "%s holds %d images, and one name was given".formatted(path, archive.images().size()));
      }
      List<String> ids = new ArrayList<>();
      for (ImageArchive.Named named : archive.images()) {
        List<ImageReference> names =
            given != null
                ? List.of(given)
                : named.names().stream().map(ImageReference::parse).toList();
        assembly.assemble(
            named.image(),
            archive,
            names.stream()
                .filter(reference -> reference.tag() != null)
                .map(ImageReference::toString)
                .toList(),
            digests(names, named.image().digest()),
            progress,
            cancellation);
        ids.add(named.image().config().id().toString());
      }
      return ids;
    } finally {
      folders.discard(scratch);
    }
  }

  private static List<String> digests(List<ImageReference> names, @Nullable Digest digest) {
    return digest == null
        ? List.of()
        : names.stream().map(name -> name.withDigest(digest).toString()).distinct().toList();
  }
}
