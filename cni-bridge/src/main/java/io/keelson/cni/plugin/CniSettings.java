package io.keelson.cni.plugin;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * How external CNI plugins are run.
 *
 * @param configurationFolder of network configurations; need not exist
 * @param pluginFolders where plugins are looked for, in this order
 * @param cacheFolder where attachments are remembered; must survive a reboot
 * @param callTimeout how long one plugin may take for ADD, DEL, CHECK or GC. A kubelet gives a
 *     whole RunPodSandbox four minutes by default, so that a chain of three has time for its ADD
 *     and for what undoes it
 * @param probeTimeout how long one plugin may take for VERSION or STATUS
 * @param statusInterval how often a network is asked for its STATUS
 * @param environment of the plugins, beside the variables of the protocol
 */
public record CniSettings(
    Path configurationFolder,
    List<Path> pluginFolders,
    Path cacheFolder,
    Duration callTimeout,
    Duration probeTimeout,
    Duration statusInterval,
    Map<String, String> environment) {

  public CniSettings {
    pluginFolders = List.copyOf(pluginFolders);
    environment = Map.copyOf(environment);
  }

  /** The places that the other runtimes use, and the daemon's own environment. */
  public static CniSettings defaults(Path cacheFolder) {
    return new CniSettings(
        Path.of("/etc/cni/net.d"),
        List.of(Path.of("/opt/cni/bin"), Path.of("/usr/lib/cni"), Path.of("/usr/libexec/cni")),
        cacheFolder,
        Duration.ofSeconds(60),
        Duration.ofSeconds(10),
        Duration.ofSeconds(30),
        System.getenv());
  }
}
