package io.keelson.csi;

import io.keelson.csi.driver.CallPolicy;
import io.keelson.csi.driver.Endpoint;
import io.keelson.csi.driver.TlsFiles;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What the volumes are told by the configuration.
 *
 * @param root survives a reboot: records, and where volumes are staged and published
 * @param state gone after a reboot: the socket of the built-in driver
 * @param drivers endpoints of CSI drivers that do not register themselves
 * @param secrets the folder of secrets
 * @param dockerPlugins where Docker volume plugins are looked for
 * @param probeInterval how often drivers and their volumes are looked at
 * @param unmountForgotten what a driver has forgotten and left mounted is unmounted
 * @param builtIn the built-in driver answers where no other has its name
 * @param builtInRoot holds the volumes of the built-in driver
 * @param nodeId the node's name for the built-in driver
 * @param writableLayerBytes the most that a container may write into its root file system; 0 for no
 *     limit
 * @param endsOverLimit whoever goes beyond a limit is ended, also where the file system could
 *     refuse
 * @param measureInterval how often folders are measured whose file system can't limit them
 */
public record VolumeSettings(
    Path root,
    Path state,
    List<Endpoint> drivers,
    TlsFiles tls,
    Optional<Path> secrets,
    List<Path> dockerPlugins,
    CallPolicy policy,
    Duration probeInterval,
    boolean unmountForgotten,
    boolean builtIn,
    Path builtInRoot,
    String nodeId,
    String version,
    long writableLayerBytes,
    boolean endsOverLimit,
    Duration measureInterval) {

  public VolumeSettings {
    drivers = List.copyOf(drivers);
    dockerPlugins = List.copyOf(dockerPlugins);
  }
}
