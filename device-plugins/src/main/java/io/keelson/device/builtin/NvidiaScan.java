package io.keelson.device.builtin;

import io.keelson.device.plugin.DevicePlugin;
import io.keelson.proto.deviceplugin.v1beta1.ContainerAllocateResponse;
import io.keelson.proto.deviceplugin.v1beta1.DeviceSpec;
import io.keelson.proto.deviceplugin.v1beta1.Mount;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * NVIDIA's GPUs as their driver tells them in {@code /proc/driver/nvidia}: a whole GPU, or each of
 * its MIG instances where it is divided.
 */
record NvidiaScan(HostTree host) implements DeviceScan {

  /** Mounts of the answer are for images with this label alone. */
  static final String VOLUME_LABEL = "com.nvidia.volumes.needed";

  /** Where such images look for the driver's libraries and programs. */
  private static final String VOLUME = "/usr/local/nvidia";

  private static final String GPUS = "/proc/driver/nvidia/gpus";
  private static final String CAPABILITIES = "/proc/driver/nvidia/capabilities";

  private static final List<String> CONTROL_NODES =
      List.of("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia-modeset");

  private static final List<String> LIBRARY_FOLDERS =
      List.of("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64");

  private static final String LIBRARIES = "lib{cuda,nvidia-,nvcuvid,cudadebugger}*.so*";
  private static final String PROGRAMS = "nvidia-{smi,debugdump,cuda-mps-*,persistenced}";

  @Override
  public List<FoundDevice> scan() throws IOException {
    List<FoundDevice> found = new ArrayList<>();
    for (String pci : host.names(GPUS, "*")) {
      Map<String, String> told = information(pci);
      String minor = told.getOrDefault("Device Minor", "");
      Optional<DeviceSpec> node = host.node("/dev/nvidia" + minor);
      if (minor.isEmpty() || node.isEmpty()) {
        continue; // the driver has it, its node is not made yet
      }
      Map<String, String> attributes = attributes(pci, told);
      List<Long> numa = host.numaNode("/sys/bus/pci/devices/" + pci);
      String id = told.getOrDefault("GPU UUID", pci);
      List<FoundDevice> instances = instances(minor, node.get(), id, attributes, numa);
      if (instances.isEmpty()) {
        found.add(new FoundDevice(id, true, numa, attributes, List.of(node.get())));
      } else {
        found.addAll(instances);
      }
    }
    return found;
  }

  private Map<String, String> information(String pci) {
    Map<String, String> told = new HashMap<>();
    host.read(GPUS + "/" + pci + "/information")
        .ifPresent(
            text ->
                text.lines()
                    .forEach(
                        line -> {
                          int colon = line.indexOf(':');
                          if (colon > 0) {
                            told.put(
                                line.substring(0, colon).strip(),
                                line.substring(colon + 1).strip());
                          }
                        }));
    return told;
  }

  private Map<String, String> attributes(String pci, Map<String, String> told) {
    Map<String, String> attributes = new LinkedHashMap<>();
    attributes.put("pci", pci);
    attributes.put("vendor", "10de");
    host.read("/sys/bus/pci/devices/" + pci + "/device")
        .ifPresent(product -> attributes.put("product", product.replaceFirst("^0x", "")));
    putIfTold(attributes, "uuid", told.get("GPU UUID"));
    putIfTold(attributes, "model", told.get("Model"));
    return attributes;
  }

  private static void putIfTold(
      Map<String, String> attributes, String name, @Nullable String value) {
    if (value != null && !value.isEmpty()) {
      attributes.put(name, value);
    }
  }

  /** The compute instances of a divided GPU; each needs the GPU's node and two capabilities. */
  private List<FoundDevice> instances(
      String minor, DeviceSpec node, String gpu, Map<String, String> attributes, List<Long> numa)
      throws IOException {
    List<FoundDevice> found = new ArrayList<>();
    String mig = CAPABILITIES + "/gpu" + minor + "/mig";
    for (String gpuInstance : host.names(mig, "gi*")) {
      for (String computeInstance : host.names(mig + "/" + gpuInstance, "ci*")) {
        String folder = mig + "/" + gpuInstance;
        Optional<DeviceSpec> outer = capability(folder);
        Optional<DeviceSpec> inner = capability(folder + "/" + computeInstance);
        if (outer.isPresent() && inner.isPresent()) {
          String name = gpuInstance.substring(2) + "/" + computeInstance.substring(2);
          Map<String, String> own = new HashMap<>(attributes);
          own.put("mig", name);
          found.add(
              new FoundDevice(
                  gpu + "/" + name, true, numa, own, List.of(node, outer.get(), inner.get())));
        }
      }
    }
    return found;
  }

  private Optional<DeviceSpec> capability(String folder) {
    return host.read(folder + "/access").stream()
        .flatMap(String::lines)
        .filter(line -> line.startsWith("DeviceFileMinor:"))
        .map(line -> "/dev/nvidia-caps/nvidia-cap" + line.substring(line.indexOf(':') + 1).strip())
        .flatMap(node -> host.node(node).stream())
        .findFirst();
  }

  @Override
  public void complete(List<FoundDevice> given, ContainerAllocateResponse.Builder answer)
      throws IOException {
    CONTROL_NODES.forEach(node -> host.node(node).ifPresent(answer::addDevices));
    answer.putEnvs(
        "NVIDIA_VISIBLE_DEVICES",
        given.stream().map(FoundDevice::id).collect(Collectors.joining(",")));
    answer.putAnnotations(DevicePlugin.MOUNTS_FOR_LABEL, VOLUME_LABEL);
    for (String folder : LIBRARY_FOLDERS) {
      for (String library : host.names(folder, LIBRARIES)) {
        answer.addMounts(mount(folder + "/" + library, VOLUME + "/lib64/" + library));
      }
    }
    for (String program : host.names("/usr/bin", PROGRAMS)) {
      answer.addMounts(mount("/usr/bin/" + program, VOLUME + "/bin/" + program));
    }
  }

  private Mount mount(String from, String to) {
    return Mount.newBuilder()
        .setHostPath(host.at(from).toString())
        .setContainerPath(to)
        .setReadOnly(true)
        .build();
  }
}
