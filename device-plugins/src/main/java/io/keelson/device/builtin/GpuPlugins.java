package io.keelson.device.builtin;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The GPUs of a host, by the vendors' own names of resources. */
final class GpuPlugins {

  static final List<String> VENDORS = List.of("nvidia", "amd", "intel", "virtio");

  private static final String AMD = "1002";
  private static final String INTEL = "8086";
  private static final String VIRTIO = "1af4";

  private GpuPlugins() {}

  /** How to look for the GPUs of these vendors, by resource. */
  static Map<String, DeviceScan> of(HostTree host, List<String> vendors) {
    Map<String, DeviceScan> scans = new LinkedHashMap<>();
    for (String vendor : vendors) {
      switch (vendor) {
        case "nvidia" -> scans.put("nvidia.com/gpu", new NvidiaScan(host));
        case "amd" -> scans.put("amd.com/gpu", new DrmScan(host, AMD, List.of("/dev/kfd")));
        case "intel" -> scans.put("gpu.intel.com/i915", new DrmScan(host, INTEL, List.of()));
        case "virtio" -> scans.put("virtio.keelson.io/gpu", new DrmScan(host, VIRTIO, List.of()));
        default ->
            throw new IllegalArgumentException(
                "GPU vendor \"%s\" is none of %s".formatted(vendor, VENDORS));
      }
    }
    return scans;
  }
}
