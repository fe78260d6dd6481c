package io.keelson.device.allocation;

import io.keelson.device.plugin.Device;
import io.keelson.device.plugin.DevicePlugin;
import io.keelson.proto.deviceplugin.v1beta1.ContainerAllocateResponse;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A plugin in memory. */
final class FakePlugin implements DevicePlugin {

  private final List<Device> devices;
  volatile String refusal = "";
  private @Nullable Listener listener;

  FakePlugin(List<Device> devices) {
    this.devices = devices;
  }

  @Override
  public void watch(Listener told) {
    listener = told;
    told.devices(devices);
  }

  void tell(List<Device> now) {
    if (listener != null) {
      listener.devices(now);
    }
  }

  void end() {
    if (listener != null) {
      listener.ended("killed");
    }
  }

  @Override
  public ContainerAllocateResponse allocate(List<String> ids) throws IOException {
    if (!refusal.isEmpty()) {
      throw new IOException(refusal);
    }
    return ContainerAllocateResponse.newBuilder().putEnvs("IDS", String.join(",", ids)).build();
  }

  @Override
  public void close() {}
}
