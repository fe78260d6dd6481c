package io.keelson.image.registry;

import io.keelson.image.manifest.Descriptor;
import io.keelson.image.reference.Digest;
import io.keelson.image.reference.ImageReference;
import io.keelson.image.registry.hosts.Capability;
import io.keelson.image.request.Cancellation;
import io.keelson.image.source.CorruptContentException;
import io.keelson.image.source.LayerBlob;
import io.keelson.image.source.LayerSource;
import io.keelson.image.source.ManifestResolver;
import io.keelson.image.source.SourceImage;
import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;

/** An image in a registry, as one caller sees it. Safe for use by many threads. */
public final class RegistrySource implements LayerSource {

  private final RepositoryHosts repository;
  private final ImageReference reference;
  private final ManifestResolver resolver;
  private final int connectionsPerLayer;
  private final SegmentPool memory;

  RegistrySource(
      RepositoryHosts repository,
      ImageReference reference,
      ManifestResolver resolver,
      int connectionsPerLayer,
      SegmentPool memory) {
    this.memory = memory;
    this.repository = repository;
    this.reference = reference;
    this.resolver = resolver;
    this.connectionsPerLayer = connectionsPerLayer;
  }

  /**
   * Asks the registry what the reference means now.
   *
   * @throws io.keelson.sandbox.error.NotFoundException if it knows none, or none for this node
   */
  public SourceImage resolve(Cancellation cancellation) throws IOException {
    Digest wanted = reference.digest();
    byte[] root =
        repository.ask(
            wanted == null ? Capability.RESOLVE : Capability.PULL,
            host -> {
              byte[] content =
                  host.manifest(reference.identifier(), resolver.maxManifest(), cancellation);
              return wanted == null ? content : verified(content, wanted, -1);
            });
    Digest digest = wanted == null ? Digest.of(root) : wanted;
    return resolver.resolve(root, digest, new Content(cancellation), reference.toString());
  }

  @Override
  public InputStream open(LayerBlob layer, Cancellation cancellation) {
    Digest digest = Objects.requireNonNull(layer.digest(), "layer of a registry without digest");
    return BlobDownload.start(
        repository, digest, layer.size(), connectionsPerLayer, memory, cancellation);
  }

  @Override
  public boolean distrust(LayerBlob layer, IOException failure) {
    return layer.digest() != null && repository.distrust(layer.digest(), failure);
  }

  private byte[] verified(byte[] content, Digest digest, long size) throws IOException {
    if (size >= 0 && content.length != size) {
      throw new CorruptContentException(
          "%s of %s has %d bytes and not the %d that its descriptor says"
              .formatted(digest, repository.name(), content.length, size));
    }
    Digest actual = Digest.of(digest.algorithm(), content);
    if (!actual.equals(digest)) {
      throw new CorruptContentException(
          "%s of %s came with the digest %s".formatted(digest, repository.name(), actual));
    }
    return content;
  }

  private final class Content implements ManifestResolver.Content {

    private final Cancellation cancellation;

    Content(Cancellation cancellation) {
      this.cancellation = cancellation;
    }

    @Override
    public byte[] manifest(Descriptor descriptor) throws IOException {
      return repository.ask(
          Capability.PULL,
          host ->
              verified(
                  host.manifest(
                      descriptor.digest().toString(), (int) descriptor.size(), cancellation),
                  descriptor.digest(),
                  descriptor.size()));
    }

    @Override
    public byte[] blob(Descriptor descriptor) throws IOException {
      return repository.ask(
          Capability.PULL,
          host ->
              verified(
                  host.blob(descriptor.digest(), (int) descriptor.size(), cancellation),
                  descriptor.digest(),
                  descriptor.size()));
    }
  }
}
