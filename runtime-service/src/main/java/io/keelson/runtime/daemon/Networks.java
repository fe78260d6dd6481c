package io.keelson.runtime.daemon;

import io.keelson.cni.NodeNetwork;
import io.keelson.cni.bridge.AssignableNetwork;
import io.keelson.cni.bridge.NetworkSettings;
import io.keelson.cni.plugin.CniNetwork;
import io.keelson.cni.plugin.CniSettings;
import io.keelson.cni.plugin.ConfigurationTemplate;
import io.keelson.linux.KernelThreads;
import io.keelson.runtime.config.Configuration;
import io.keelson.runtime.config.Configuration.OciRuntime;
import io.keelson.sandbox.port.PodNetwork;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** Puts the pods' networks together. */
final class Networks {

  private final Configuration configuration;
  private final KernelThreads kernelThreads;
  private final Shutdown shutdown;

  private Networks(Configuration configuration, KernelThreads kernelThreads, Shutdown shutdown) {
    this.configuration = configuration;
    this.kernelThreads = kernelThreads;
    this.shutdown = shutdown;
  }

  /** The network of the node, and those of runtime handlers that have one of their own. */
  static PodNetwork open(
      Configuration configuration, KernelThreads kernelThreads, Shutdown shutdown)
      throws IOException {
    return new Networks(configuration, kernelThreads, shutdown).open();
  }

  private PodNetwork open() throws IOException {
    NodeNetwork ofNode =
        new NodeNetwork(
            plugins(configuration.network().cniConfDir(), "cni"),
            builtIn(),
            configuration
                .network()
                .cniConfTemplate()
                .map(
                    template ->
                        new ConfigurationTemplate(template, configuration.network().cniConfDir())));
    Map<String, PodNetwork> ofHandlers = new HashMap<>();
    for (OciRuntime runtime : configuration.runtimes().values()) {
      if (runtime.cniConfDir().isPresent()) {
        CniNetwork network = plugins(runtime.cniConfDir().get(), "cni-" + runtime.name());
        ofHandlers.put(runtime.name(), network);
        if (runtime.name().equals(configuration.defaultRuntime())) {
          ofHandlers.put("", network);
        }
      }
    }
    return ofHandlers.isEmpty() ? ofNode : new HandlerNetworks(ofNode, ofHandlers);
  }

  private AssignableNetwork builtIn() throws IOException {
    Configuration.Network network = configuration.network();
    return shutdown.add(
        "the built-in network",
        new AssignableNetwork(
            new NetworkSettings(
                network.bridge(),
                network.ipv4Subnet(),
                network.ipv6Subnet(),
                network.mtu(),
                network.masquerade()),
            configuration.root().resolve("network"),
            kernelThreads));
  }

  private CniNetwork plugins(Path configurations, String cache) throws IOException {
    CniSettings defaults = CniSettings.defaults(folder(cache));
    return shutdown.add(
        "the CNI network of " + configurations,
        CniNetwork.open(
            new CniSettings(
                configurations,
                configuration.network().cniBinDirs(),
                defaults.cacheFolder(),
                configuration.network().cniTimeout(),
                defaults.probeTimeout(),
                defaults.statusInterval(),
                defaults.environment())));
  }

  private Path folder(String name) {
    return configuration.root().resolve("network").resolve(name);
  }
}
