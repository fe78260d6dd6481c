package io.keelson.runtime.daemon;

import io.keelson.device.cdi.CdiApplication;
import io.keelson.device.cdi.CdiFolders;
import io.keelson.runtime.config.Configuration;
import io.keelson.runtime.nri.Nri;
import io.keelson.runtime.nri.NriSettings;
import io.keelson.runtime.nri.PluginMeter;
import io.keelson.sandbox.isolator.HostFeatures;
import java.util.Optional;

/** Puts the Node Resource Interface together, as the configuration says. */
final class NriParts {

  private NriParts() {}

  /** Empty if it is not wanted. */
  static Optional<Nri> of(Configuration configuration, HostFeatures features) {
    Configuration.Nri nri = configuration.nri();
    if (!nri.enabled()) {
      return Optional.empty();
    }
    CdiFolders cdi = new CdiFolders(configuration.devices().cdiDirs());
    return Optional.of(
        new Nri(
            new NriSettings(
                nri.socket(),
                nri.pluginDir(),
                nri.configDir(),
                nri.registrationTimeout(),
                nri.requestTimeout()),
            configuration.state(),
            (container, devices, spec) ->
                CdiApplication.apply(
                    cdi.resolve(devices),
                    spec,
                    container.config().getLinux().getSecurityContext().getPrivileged()),
            features.lowestOomScoreAdj(),
            PluginMeter.NONE));
  }
}
