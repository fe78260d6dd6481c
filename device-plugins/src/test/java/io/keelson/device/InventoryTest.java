package io.keelson.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.device.plugin.Device;
import io.keelson.device.plugin.DevicePlugin;
import io.keelson.device.plugin.PluginRegistry;
import io.keelson.proto.deviceplugin.v1beta1.ContainerAllocateResponse;
import io.keelson.proto.record.v1.DeviceAllocation;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the node tells of its devices. */
class InventoryTest {

  private static final String WIDGET = "vendor.example/widget";

  /** A plugin whose list is as it was told. */
  private record Told(Device... devices) implements DevicePlugin {

    @Override
    public void watch(Listener listener) {
      listener.devices(List.of(devices));
    }

    @Override
    public ContainerAllocateResponse allocate(List<String> ids) {
      throw new AssertionError("nobody asks");
    }

    @Override
    public void close() {}
  }

  private static DeviceAllocation held(String resource, String... ids) {
    return DeviceAllocation.newBuilder()
        .setResource(resource)
        .addAllDeviceIds(List.of(ids))
        .setContainer("main")
        .build();
  }

  @Test
  void aDeviceIsFreeOrHeldOrNobodysAndCountsOnce() throws Exception {
    try (PluginRegistry registry = new PluginRegistry(Duration.ZERO)) {
      registry.add(
          WIDGET, new Told(Device.of("a", true), Device.of("b", false), Device.of("c", false)));

      Inventory widgets = Inventory.of(registry.resources(), List.of(held(WIDGET, "b"))).getFirst();

      assertThat(widgets.devices())
          .extracting(entry -> entry.device().id() + " " + entry.state())
          .containsExactly("a FREE", "b HELD", "c UNUSABLE");
      for (Inventory.State state : Inventory.State.values()) {
        assertThat(widgets.count(state)).as("%s", state).isEqualTo(1);
      }
    }
  }

  /** Its holder is what an administrator looks for, most of all then. */
  @Test
  void whatIsHeldIsToldThoughNoPluginKnowsIt() throws Exception {
    try (PluginRegistry registry = new PluginRegistry(Duration.ZERO)) {
      registry.add(WIDGET, new Told(Device.of("a", true)));

      List<Inventory> all =
          Inventory.of(
              registry.resources(), List.of(held(WIDGET, "pulled"), held("gone.example/x", "1")));

      assertThat(all).extracting(Inventory::name).containsExactly("gone.example/x", WIDGET);
      assertThat(all).extracting(one -> one.plugin().name()).containsExactly("GONE", "SERVING");
      assertThat(all.get(1).devices())
          .extracting(entry -> entry.device().id() + " " + entry.usable() + " " + entry.state())
          .containsExactly("a true FREE", "pulled false HELD");
      assertThat(all.get(0).devices().getFirst().holder()).isPresent();
    }
  }
}
