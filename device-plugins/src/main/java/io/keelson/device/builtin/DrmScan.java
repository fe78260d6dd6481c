package io.keelson.device.builtin;

import io.keelson.proto.deviceplugin.v1beta1.ContainerAllocateResponse;
import io.keelson.proto.deviceplugin.v1beta1.DeviceSpec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * GPUs with a DRM driver, as AMD's and Intel's have: {@code /sys/class/drm} and {@code /dev/dri}.
 *
 * @param vendor PCI vendor id, four hexadecimal digits; empty for any
 * @param more nodes that every container with such a GPU needs, such as {@code /dev/kfd}
 */
record DrmScan(HostTree host, String vendor, List<String> more) implements DeviceScan {

  private static final String CLASS = "/sys/class/drm";

  @Override
  public List<FoundDevice> scan() throws IOException {
    List<FoundDevice> found = new ArrayList<>();
    for (String card : host.names(CLASS, "card[0-9]*")) {
      String device = CLASS + "/" + card + "/device";
      String cardVendor = hexadecimal(device + "/vendor");
      boolean connector = card.contains("-"); // card0-HDMI-A-1
      if (connector || (!vendor.isEmpty() && !vendor.equals(cardVendor))) {
        continue;
      }
      List<DeviceSpec> nodes = new ArrayList<>();
      host.node("/dev/dri/" + card).ifPresent(nodes::add);
      for (String render : host.names(device + "/drm", "renderD*")) {
        host.node("/dev/dri/" + render).ifPresent(nodes::add);
      }
      if (nodes.isEmpty()) {
        continue;
      }
      Map<String, String> attributes = new LinkedHashMap<>();
      attributes.put("card", card);
      attributes.put("vendor", cardVendor);
      attributes.put("product", hexadecimal(device + "/device"));
      String pci =
          host.read(device + "/uevent").stream()
              .flatMap(String::lines)
              .filter(line -> line.startsWith("PCI_SLOT_NAME="))
              .map(line -> line.substring("PCI_SLOT_NAME=".length()))
              .findFirst()
              .orElse("");
      if (!pci.isEmpty()) {
        attributes.put("pci", pci);
      }
      host.read(device + "/unique_id").ifPresent(id -> attributes.put("uuid", id));
      found.add(
          new FoundDevice(
              pci.isEmpty() ? card : pci, true, host.numaNode(device), attributes, nodes));
    }
    return found;
  }

  private String hexadecimal(String file) {
    return host.read(file).orElse("").replaceFirst("^0x", "");
  }

  @Override
  public void complete(List<FoundDevice> given, ContainerAllocateResponse.Builder answer) {
    more.forEach(node -> host.node(node).ifPresent(answer::addDevices));
  }
}
