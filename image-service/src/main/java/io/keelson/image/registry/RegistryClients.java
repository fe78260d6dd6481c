package io.keelson.image.registry;

import io.keelson.image.reference.ImageReference;
import io.keelson.image.registry.hosts.HostSettings;
import io.keelson.image.registry.hosts.HostsFolders;
import io.keelson.image.registry.login.KeptCredentials;
import io.keelson.image.registry.tls.TlsContexts;
import io.keelson.image.request.RegistryCredentials;
import io.keelson.image.source.ManifestResolver;
import io.keelson.image.source.SpareBuffers;
import io.keelson.sandbox.error.OperationFailedException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Makes clients that share tokens and trusted certificates. Safe for use by many threads. */
public final class RegistryClients {

  /** Of a mirror: the next host is nearer than a third attempt. */
  private static final int MIRROR_ATTEMPTS = 2;

  private final RegistrySettings settings;
  private final HostsFolders folders;
  private final TlsContexts tls;
  private final Proxies proxies;
  private final KeptCredentials kept;
  private final SpareBuffers<Segment> spare = new SpareBuffers<>();
  private final TokenServer tokens = new TokenServer();

  /**
   * @throws IOException if the certificates of the settings can't be read
   */
  public RegistryClients(RegistrySettings settings) throws IOException {
    this.settings = settings;
    this.folders = new HostsFolders(settings.hostsFolders());
    this.tls = new TlsContexts(settings.caFile());
    this.proxies = new Proxies(settings.environment());
    this.kept = new KeptCredentials(settings.authFiles(), settings.environment());
  }

  /**
   * The image's registry and its mirrors, for one caller.
   *
   * @throws OperationFailedException if what is written of the registry can't be understood
   */
  public RegistrySource source(
      ImageReference reference, RegistryCredentials credentials, ManifestResolver resolver) {
    List<RepositoryClient> hosts = new ArrayList<>();
    try {
      List<HostSettings> all = folders.of(reference.domain());
      for (int i = 0; i < all.size(); i++) {
        hosts.add(client(reference, all.get(i), i == all.size() - 1, credentials));
      }
    } catch (IOException e) {
      throw new OperationFailedException(
          "configuration of registry %s: %s".formatted(reference.domain(), e.getMessage()), e);
    }
    return new RegistrySource(
        new RepositoryHosts(hosts),
        reference,
        resolver,
        settings.connectionsPerLayer(),
        new SegmentPool(spare));
  }

  private RepositoryClient client(
      ImageReference reference, HostSettings host, boolean last, RegistryCredentials credentials)
      throws IOException {
    RegistryHost address =
        RegistryHost.of(
            reference.domain(), host, last, settings.insecureRegistries(), TlsProbe::wantsTls);
    HttpTransport transport =
        new HttpTransport(
            () -> tls.of(host.tls()),
            proxies,
            host.connectTimeout().orElse(settings.connectTimeout()),
            settings.stallTimeout());
    Authorization authorization =
        new Authorization(address, reference.path(), credentials, kept, tokens, transport);
    RetryPolicy retries =
        new RetryPolicy(
            last ? settings.attempts() : Math.min(MIRROR_ATTEMPTS, settings.attempts()),
            settings.firstPause());
    return new RepositoryClient(address, reference.path(), transport, authorization, retries);
  }
}
