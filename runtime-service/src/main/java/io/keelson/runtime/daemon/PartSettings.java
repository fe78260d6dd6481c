package io.keelson.runtime.daemon;

import io.keelson.image.ImageSettings;
import io.keelson.image.archive.UnpackLimits;
import io.keelson.image.registry.RegistrySettings;
import io.keelson.runtime.config.Configuration;
import io.keelson.runtime.streaming.StreamingSettings;
import io.keelson.sandbox.isolator.StandardIsolators;

/** What the configuration says, in the words of the parts that need no more than settings. */
final class PartSettings {

  private PartSettings() {}

  static StandardIsolators.Settings isolation(Configuration.Containers containers) {
    return new StandardIsolators.Settings(
        containers.rlimits(), containers.pidsLimit(), containers.hostPathDeadline());
  }

  static StreamingSettings streaming(Configuration.Streaming streaming) {
    return new StreamingSettings(
        streaming.address(),
        streaming.port(),
        streaming
            .tlsCert()
            .map(
                certificate ->
                    new StreamingSettings.Tls(
                        certificate, streaming.tlsKey().orElseThrow(), streaming.tlsClientCa())),
        streaming.idleTimeout(),
        streaming.creationTimeout());
  }

  static ImageSettings images(Configuration configuration) {
    Configuration.Images images = configuration.images();
    ImageSettings defaults = ImageSettings.defaults(configuration.root());
    UnpackLimits limits = defaults.limits();
    return new ImageSettings(
        configuration.root(),
        RegistrySettings.of(
                images.insecureRegistries(),
                images.caFile(),
                images.hostsDirs(),
                images.authFiles())
            .with(images.progressTimeout(), images.connectionsPerLayer()),
        images.pinned(),
        images.parallelLayers() == 0 ? defaults.parallelLayers() : images.parallelLayers(),
        new UnpackLimits(
            images.maxLayerEntries(),
            images.maxLayerSize(),
            images.maxLayerRatio(),
            limits.ratioFloor()),
        images.backend(),
        images.keepBlobs(),
        images.maxManifestSize(),
        defaults.sealAfter(),
        images.signaturePolicy());
  }
}
