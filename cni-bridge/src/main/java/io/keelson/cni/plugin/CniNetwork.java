package io.keelson.cni.plugin;

import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.UnavailableException;
import io.keelson.sandbox.port.PodNetwork;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Map;

/**
 * The network as external plugins make it (CNI spec 1.1; configurations and plugins from 0.3.0 on).
 * The first valid configuration of the folder is the network of all pods; each gets one interface,
 * {@code eth0}.
 *
 * <p>What an ADD used is remembered on disk until its DEL has succeeded, so that a pod is always
 * detached by the configuration that attached it, also after the configuration has changed or the
 * daemon was killed. An attachment that could not be undone when its pod was forgotten is tried
 * again as long as the daemon runs, and when it starts.
 *
 * <p>Safe for use by many threads. A call takes as long as its plugins, each at most the configured
 * deadline. Plugins run in the network namespace of the calling thread.
 */
public final class CniNetwork implements PodNetwork, AutoCloseable {

  private final NetworkMonitor monitor;
  private final Attachments attachments;

  private CniNetwork(NetworkMonitor monitor, Attachments attachments) {
    this.monitor = monitor;
    this.attachments = attachments;
  }

  /**
   * Reads the configuration and begins to watch it. Plugins get a second to tell their versions and
   * status; one that is slower delays the readiness and nothing else.
   *
   * @throws IOException if the cache folder can't be made
   */
  public static CniNetwork open(CniSettings settings) throws IOException {
    PluginPath path = new PluginPath(settings.pluginFolders());
    PluginInvoker invoker = new PluginInvoker(path, settings.environment());
    PluginChain chain = new PluginChain(invoker, settings.callTimeout(), settings.probeTimeout());
    AttachmentCache cache = new AttachmentCache(settings.cacheFolder());
    NetworkMonitor monitor =
        new NetworkMonitor(
            new ConfigurationFolder(settings.configurationFolder()),
            chain,
            new VersionProbe(invoker, settings.probeTimeout()),
            settings.statusInterval());
    Attachments attachments = new Attachments(cache, chain, monitor::network);
    // a plugin that hangs there must not keep the monitor from seeing changes
    monitor.start(() -> Thread.startVirtualThread(attachments::retryForgotten));
    return new CniNetwork(monitor, attachments);
  }

  /** True if the folder holds a configuration, valid or not: somebody wants CNI plugins. */
  public boolean isConfigured() {
    return !monitor.isEmpty();
  }

  /** True if plugins have attached this pod, or have tried to, and it was not detached since. */
  public boolean isAttached(String sandboxId) {
    return attachments.isKnown(sandboxId);
  }

  @Override
  public Attachment attach(Pod pod) throws IOException {
    if (pod.netns().isEmpty()) {
      throw new FailedPreconditionException(
          "sandbox " + pod.sandboxId() + " has no network namespace to attach");
    }
    NetworkConfiguration network =
        monitor
            .network()
            .orElseThrow(() -> new UnavailableException(monitor.condition().message()));
    return attachments.add(network, PodParameters.of(pod));
  }

  @Override
  public void detach(Pod pod) throws IOException {
    attachments.delete(pod.sandboxId(), pod.netns().map(Path::toString).orElse(""));
  }

  /**
   * Asks the plugins whether the pod's network is still as they made it (CHECK). Does nothing for a
   * network that does not want to be asked, or whose version can't be.
   *
   * @throws io.keelson.sandbox.error.KeelsonException with the words of the first plugin that
   *     misses something, or if the pod is not attached
   */
  public void check(Pod pod) throws IOException {
    attachments.check(pod.sandboxId());
  }

  /** Ready with a message if there is a usable network beside broken files that were skipped. */
  @Override
  public Condition condition() {
    return monitor.condition();
  }

  @Override
  public Map<String, String> details() {
    return monitor.details();
  }

  /**
   * DEL for all that is remembered of other pods, then GC. What fails is logged and tried again
   * later: it is no reason to keep the daemon from starting.
   */
  @Override
  public void recover(Collection<Pod> known) throws IOException {
    attachments.recover(known.stream().map(Pod::sandboxId).toList());
  }

  @Override
  public void close() {
    monitor.close();
  }
}
