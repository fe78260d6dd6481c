package io.keelson.image.registry;

import io.keelson.image.RegistryCredentials;
import io.keelson.image.reference.ImageReference;
import io.keelson.image.source.ManifestResolver;
import java.io.IOException;
import javax.net.ssl.SSLSocketFactory;

/** Makes clients that share tokens and trusted certificates. Safe for use by many threads. */
public final class RegistryClients {

  private final RegistrySettings settings;
  private final HttpTransport transport;
  private final TokenServer tokens;

  /**
   * @throws IOException if the certificates of the settings can't be read
   */
  public RegistryClients(RegistrySettings settings) throws IOException {
    this.settings = settings;
    SSLSocketFactory sockets = TrustedSockets.create(settings.caFile());
    this.transport = new HttpTransport(sockets, settings.connectTimeout(), settings.stallTimeout());
    this.tokens = new TokenServer(transport);
  }

  /** The image's registry, for one caller. */
  public RegistrySource source(
      ImageReference reference, RegistryCredentials credentials, ManifestResolver resolver) {
    RegistryHost host =
        RegistryHost.of(reference.domain(), settings.insecureRegistries(), TlsProbe::wantsTls);
    Authorization authorization = new Authorization(host, reference.path(), credentials, tokens);
    RetryPolicy retries = new RetryPolicy(settings.attempts(), settings.firstPause());
    return new RegistrySource(
        new RepositoryClient(host, reference.path(), transport, authorization, retries),
        reference,
        resolver);
  }
}
