package io.keelson.runtime.daemon;

import io.keelson.csi.driver.DriverRegistry;
import io.keelson.device.registration.PluginHandler;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Hands CSI drivers that register themselves to the volumes. */
record CsiPluginHandler(DriverRegistry drivers) implements PluginHandler {

  @Override
  public void validate(String name, Path endpoint, List<String> versions) {
    drivers.validate(name, versions);
  }

  @Override
  public void register(String name, Path endpoint, List<String> versions) throws IOException {
    drivers.register(name, endpoint, versions);
  }

  @Override
  public void deregister(String name, Path endpoint) {
    drivers.deregister(name, endpoint);
  }
}
