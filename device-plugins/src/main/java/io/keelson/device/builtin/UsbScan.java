package io.keelson.device.builtin;

import io.keelson.proto.deviceplugin.v1beta1.DeviceSpec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * USB devices by what they say of themselves and where they are plugged in. Empty texts match
 * anything. A device that was unplugged and comes back has another number and another node, and is
 * the same: its id is made of what does not change.
 *
 * @param vendor four hexadecimal digits
 * @param product four hexadecimal digits
 * @param bus number
 * @param port as in sysfs behind the bus: {@code 1.4}
 */
record UsbScan(HostTree host, String vendor, String product, String serial, String bus, String port)
    implements DeviceScan {

  private static final String DEVICES = "/sys/bus/usb/devices";

  /** A hub is no device for a container. */
  private static final String HUB = "09";

  @Override
  public List<FoundDevice> scan() throws IOException {
    List<FoundDevice> found = new ArrayList<>();
    for (String name : host.names(DEVICES, "[0-9]*-[0-9]*")) {
      if (name.contains(":")) {
        continue; // an interface of a device
      }
      String device = DEVICES + "/" + name;
      String itsPort = name.substring(name.indexOf('-') + 1);
      String itsBus = read(device, "busnum");
      if (matches(vendor, read(device, "idVendor"))
          && matches(product, read(device, "idProduct"))
          && matches(serial, read(device, "serial"))
          && matches(bus, itsBus)
          && matches(port, itsPort)
          && !read(device, "bDeviceClass").equals(HUB)) {
        found.add(device(name, device, itsBus, itsPort));
      }
    }
    return found;
  }

  private FoundDevice device(String name, String device, String itsBus, String itsPort)
      throws IOException {
    Map<String, String> attributes = new LinkedHashMap<>();
    attributes.put("vendor", read(device, "idVendor"));
    attributes.put("product", read(device, "idProduct"));
    attributes.put("bus", itsBus);
    attributes.put("port", itsPort);
    String itsSerial = read(device, "serial");
    if (!itsSerial.isEmpty()) {
      attributes.put("serial", itsSerial);
    }
    String place = itsSerial.isEmpty() ? "port-" + name : itsSerial;
    String id = attributes.get("vendor") + ":" + attributes.get("product") + ":" + place;
    List<DeviceSpec> nodes = new ArrayList<>();
    String number = read(device, "devnum");
    if (itsBus.matches("[0-9]{1,3}") && number.matches("[0-9]{1,3}")) {
      host.node(
              "/dev/bus/usb/%03d/%03d".formatted(Integer.valueOf(itsBus), Integer.valueOf(number)))
          .ifPresent(nodes::add);
    }
    for (String node : kernelNodes(device, name)) {
      host.node("/dev/" + node).ifPresent(nodes::add);
    }
    return new FoundDevice(id, true, host.numaNode(device), attributes, nodes);
  }

  /** The nodes that drivers of its interfaces made: a serial adapter's tty, a stick's disk. */
  private List<String> kernelNodes(String device, String name) throws IOException {
    List<String> nodes = new ArrayList<>();
    for (String part : host.names(device, name + ":*")) {
      String folder = device + "/" + part;
      nodes.addAll(host.names(folder, "ttyUSB*"));
      nodes.addAll(host.names(folder + "/tty", "tty*"));
      for (String scsi : host.names(folder, "host*")) {
        for (String target : host.names(folder + "/" + scsi, "target*")) {
          for (String unit : host.names(folder + "/" + scsi + "/" + target, "*:*:*:*")) {
            String disks = String.join("/", folder, scsi, target, unit, "block");
            for (String disk : host.names(disks, "*")) {
              nodes.add(disk);
              nodes.addAll(host.names(disks + "/" + disk, disk + "[0-9]*"));
            }
          }
        }
      }
    }
    return nodes.stream().distinct().toList();
  }

  private String read(String device, String attribute) {
    return host.read(device + "/" + attribute).orElse("");
  }

  private static boolean matches(String wanted, String is) {
    return wanted.isEmpty() || wanted.equalsIgnoreCase(is);
  }
}
