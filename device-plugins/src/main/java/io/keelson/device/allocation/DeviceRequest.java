package io.keelson.device.allocation;

import io.keelson.device.plugin.Device;
import io.keelson.device.plugin.ResourceName;
import io.keelson.sandbox.error.InvalidRequestException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Devices of one resource that are asked for.
 *
 * @param resource such as {@code vendor.example/device}
 * @param count how many in all, at least 1
 * @param selectors devices that must be among them, each by {@code name:value}; at most {@code
 *     count}
 */
public record DeviceRequest(String resource, int count, List<Selector> selectors) {

  /** More devices of one resource than any node has. */
  private static final int MOST = 10_000;

  public DeviceRequest {
    selectors = List.copyOf(selectors);
  }

  /** One device by what it is: {@code id:…}, {@code pci:0000:01:00.0}, {@code serial:…}. */
  public record Selector(String name, String value) {

    public boolean matches(Device device) {
      return device.matches(name, value);
    }

    @Override
    public String toString() {
      return name + ":" + value;
    }
  }

  /**
   * Reads a list such as {@code vendor.example/gpu=1, usb.keelson.io/phone=serial:0815}: after the
   * equals sign a count, or a selector for one device. Entries of the same resource add up.
   *
   * @throws InvalidRequestException if it is none
   */
  public static List<DeviceRequest> parse(String text) {
    Map<String, DeviceRequest> byResource = new LinkedHashMap<>();
    for (String entry : text.split(",", -1)) {
      if (!entry.isBlank()) {
        DeviceRequest request = entry(entry.strip());
        byResource.merge(request.resource, request, DeviceRequest::plus);
      }
    }
    return List.copyOf(byResource.values());
  }

  private static DeviceRequest entry(String entry) {
    int equals = entry.indexOf('=');
    String resource = ResourceName.check((equals < 0 ? entry : entry.substring(0, equals)).strip());
    String wanted = equals < 0 ? "1" : entry.substring(equals + 1).strip();
    int colon = wanted.indexOf(':');
    if (colon > 0 && colon < wanted.length() - 1) {
      Selector selector = new Selector(wanted.substring(0, colon), wanted.substring(colon + 1));
      return new DeviceRequest(resource, 1, List.of(selector));
    }
    if (!wanted.matches("[0-9]{1,6}") || Integer.parseInt(wanted) > MOST) {
      throw new InvalidRequestException(
          "device request \"%s\" wants neither a number of devices nor one by name:value"
              .formatted(entry));
    }
    int count = Integer.parseInt(wanted);
    if (count == 0) {
      throw new InvalidRequestException("device request \"%s\" wants no device".formatted(entry));
    }
    return new DeviceRequest(resource, count, List.of());
  }

  private DeviceRequest plus(DeviceRequest other) {
    List<Selector> all = new ArrayList<>(selectors);
    all.addAll(other.selectors);
    return new DeviceRequest(resource, count + other.count, all);
  }

  /** As the annotation has it. */
  @Override
  public String toString() {
    return selectors.isEmpty() ? resource + "=" + count : resource + "=" + count + selectors;
  }
}
