package io.keelson.runtime.daemon;

import io.keelson.csi.NodeVolumes;
import io.keelson.csi.VolumeSettings;
import io.keelson.csi.driver.CallMetrics;
import io.keelson.csi.driver.CallPolicy;
import io.keelson.csi.driver.Endpoint;
import io.keelson.csi.driver.TlsFiles;
import io.keelson.linux.KernelThreads;
import io.keelson.runtime.ProductVersion;
import io.keelson.runtime.config.Configuration;
import io.keelson.runtime.config.OverLimit;
import io.keelson.sandbox.FaultPoints;
import io.keelson.sandbox.rpc.UnixChannels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Puts the volumes together as the configuration says. */
final class VolumeParts {

  private static final Path HOSTNAME = Path.of("/proc/sys/kernel/hostname");

  private VolumeParts() {}

  static NodeVolumes open(
      Configuration configuration,
      UnixChannels channels,
      KernelThreads kernelThreads,
      CallMetrics metrics,
      FaultPoints faults)
      throws IOException {
    return NodeVolumes.open(settings(configuration), channels, kernelThreads, metrics, faults);
  }

  private static VolumeSettings settings(Configuration configuration) throws IOException {
    Configuration.Volumes volumes = configuration.volumes();
    return new VolumeSettings(
        configuration.root().resolve("volumes"),
        configuration.state(),
        volumes.drivers().stream().map(Endpoint::parse).toList(),
        new TlsFiles(volumes.tlsCaFile(), volumes.tlsCertFile(), volumes.tlsKeyFile()),
        volumes.secretsDir(),
        volumes.dockerPluginDirs(),
        new CallPolicy(
            volumes.callTimeout(),
            volumes.operationTimeout(),
            CallPolicy.DEFAULT.firstPause(),
            CallPolicy.DEFAULT.longestPause(),
            CallPolicy.DEFAULT.courtesy()),
        volumes.probeInterval(),
        volumes.unmountForgotten(),
        volumes.localDriver(),
        volumes.localDriverDir(),
        Files.readString(HOSTNAME).strip(),
        ProductVersion.current(),
        volumes.writableLayerLimit(),
        volumes.overLimit() == OverLimit.END,
        volumes.measureInterval());
  }
}
