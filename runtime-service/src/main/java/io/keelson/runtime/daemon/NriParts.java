package io.keelson.runtime.daemon;

import io.keelson.proto.node.v1.ListPluginsResponse;
import io.keelson.proto.node.v1.Plugin;
import io.keelson.runtime.config.Configuration;
import io.keelson.runtime.nri.BlockIoClasses;
import io.keelson.runtime.nri.CdiInjector;
import io.keelson.runtime.nri.NodeRules;
import io.keelson.runtime.nri.Nri;
import io.keelson.runtime.nri.NriSettings;
import io.keelson.runtime.nri.PluginMeter;
import io.keelson.runtime.nri.PluginView;
import io.keelson.sandbox.isolator.HostFeatures;
import io.keelson.sandbox.launch.RuntimeFeatureProbe;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** Puts the Node Resource Interface together, as the configuration says. */
final class NriParts {

  private NriParts() {}

  /** Empty if it is not wanted. */
  static Optional<Nri> of(
      Configuration configuration, HostFeatures features, CdiInjector cdi, PluginMeter meter) {
    Configuration.Nri nri = configuration.nri();
    if (!nri.enabled()) {
      return Optional.empty();
    }
    return Optional.of(
        new Nri(
            new NriSettings(
                nri.socket(),
                nri.pluginDir(),
                nri.configDir(),
                nri.registrationTimeout(),
                nri.requestTimeout()),
            new NodeRules(
                nri.requiredPlugins(),
                nri.tolerateMissingAnnotation(),
                Set.copyOf(nri.rejectedAdjustments())),
            nri.blockIoFile().map(BlockIoClasses::new),
            configuration.state(),
            cdi,
            new RuntimeFeatureProbe(nri.requestTimeout()),
            features.lowestOomScoreAdj(),
            meter));
  }

  /** The plugins that take part, for the command line. */
  static ListPluginsResponse list(Optional<Nri> nri) {
    ListPluginsResponse.Builder list = ListPluginsResponse.newBuilder().setEnabled(nri.isPresent());
    nri.map(Nri::view).orElse(List.of()).stream().map(NriParts::message).forEach(list::addPlugins);
    return list.build();
  }

  private static Plugin message(PluginView view) {
    return Plugin.newBuilder()
        .setIndex(view.index())
        .setName(view.name())
        .setStarted(view.started())
        .addAllEvents(view.events())
        .setConnectedAt(TimeUnit.MILLISECONDS.toNanos(view.connected().toEpochMilli()))
        .setCalls(view.calls())
        .setFailures(view.failures())
        .setNanoseconds(view.time().toNanos())
        .setLastCall(view.lastCall())
        .build();
  }
}
