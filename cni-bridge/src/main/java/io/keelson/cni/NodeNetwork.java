package io.keelson.cni;

import io.keelson.cni.plugin.CniNetwork;
import io.keelson.cni.plugin.ConfigurationTemplate;
import io.keelson.linux.netlink.IpPrefix;
import io.keelson.sandbox.port.PodNetwork;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The network of a node: external CNI plugins as soon as somebody has configured them, else the
 * built-in network. A configuration that can't be used makes the node not ready; it never lets pods
 * slip into the built-in network, where their peers are not.
 *
 * <p>A pod is detached by whatever attached it, also after the configuration has come or gone. Safe
 * for use by many threads.
 */
public final class NodeNetwork implements PodNetwork {

  private final CniNetwork plugins;
  private final PodNetwork builtIn;
  private final Optional<ConfigurationTemplate> template;

  /**
   * @param template of the configuration of the plugins, where the cluster's assignments make it
   */
  public NodeNetwork(
      CniNetwork plugins, PodNetwork builtIn, Optional<ConfigurationTemplate> template) {
    this.plugins = plugins;
    this.builtIn = builtIn;
    this.template = template;
  }

  @Override
  public Attachment attach(Pod pod) throws IOException {
    if (plugins.isConfigured()) {
      return plugins.attach(pod);
    }
    // an earlier attempt that the plugins made, before their configuration was taken away
    plugins.detach(pod);
    return builtIn.attach(pod);
  }

  /** Both, since a configuration may have come between two attempts to attach the same pod. */
  @Override
  public void detach(Pod pod) throws IOException {
    try {
      plugins.detach(pod);
    } catch (IOException | RuntimeException e) {
      try {
        builtIn.detach(pod);
      } catch (IOException | RuntimeException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
    builtIn.detach(pod);
  }

  @Override
  public Map<String, String> details() {
    Map<String, String> details = new TreeMap<>();
    details.put("source", plugins.isConfigured() ? "cni" : "built-in");
    details.putAll(plugins.isConfigured() ? plugins.details() : builtIn.details());
    return details;
  }

  /**
   * Agents of other networks learn of it from the cluster; there is nothing to be done for them.
   */
  @Override
  public void assign(List<IpPrefix> subnets) throws IOException {
    if (template.isPresent()) {
      template.get().write(subnets);
    } else if (!plugins.isConfigured()) {
      builtIn.assign(subnets);
    }
  }

  @Override
  public Condition condition() {
    return plugins.isConfigured() ? plugins.condition() : builtIn.condition();
  }

  @Override
  public void recover(Collection<Pod> known) throws IOException {
    plugins.recover(known);
    builtIn.recover(known);
  }
}
