package io.keelson.device;

import io.keelson.device.builtin.NodeListener;
import io.keelson.proto.deviceplugin.v1beta1.DeviceSpec;
import java.util.List;
import java.util.Optional;

/** Passes changes on to a listener that is made after those who tell of them. */
final class DeferredNodeListener implements NodeListener {

  private volatile Optional<NodeListener> listener = Optional.empty();

  void open(NodeListener told) {
    listener = Optional.of(told);
  }

  @Override
  public void nodesChanged(
      String resource, List<String> ids, List<DeviceSpec> before, List<DeviceSpec> now) {
    listener.ifPresent(told -> told.nodesChanged(resource, ids, before, now));
  }
}
