package io.keelson.device.builtin;

import io.keelson.proto.deviceplugin.v1beta1.DeviceSpec;
import java.util.List;

/** Hears when the nodes of a device change while containers may hold it. */
public interface NodeListener {

  /**
   * @param resource the device's
   * @param ids under which it is given away: one, or one for each share
   * @param before nodes that were there
   * @param now nodes that are there; empty if the device has gone
   */
  void nodesChanged(
      String resource, List<String> ids, List<DeviceSpec> before, List<DeviceSpec> now);
}
