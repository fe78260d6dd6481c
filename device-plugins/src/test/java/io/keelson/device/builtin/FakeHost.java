package io.keelson.device.builtin;

import io.keelson.device.allocation.DeviceRequest;
import io.keelson.device.plugin.Device;
import io.keelson.device.plugin.PluginRegistry;
import io.keelson.device.plugin.Resource;
import io.keelson.linux.tree.Folder;
import io.keelson.proto.deviceplugin.v1beta1.ContainerAllocateResponse;
import io.keelson.proto.deviceplugin.v1beta1.DeviceSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/** A tree of /proc, /sys and /dev with real device nodes in it, and built-in plugins over it. */
public final class FakeHost implements AutoCloseable {

  /** Of a major that no driver has. */
  private static final int MAJOR = 511;

  private static final int CHARACTER = 0020000;
  private static final int BLOCK = 0060000;
  private static final Duration INTERVAL = Duration.ofMillis(100);

  private final Path root;
  private final PluginRegistry registry = new PluginRegistry(Duration.ofSeconds(1));
  private final BlockingQueue<String> nodeChanges = new LinkedBlockingQueue<>();

  public FakeHost(Path root) {
    this.root = root;
  }

  /** Reads definitions, with this tree as the root of each table, and starts their plugins. */
  BuiltInPlugins start(String toml) throws IOException {
    BuiltInPlugins plugins = read(toml);
    plugins.start(registry);
    return plugins;
  }

  BuiltInPlugins read(String toml) throws IOException {
    return BuiltInPlugins.read(define(toml), INTERVAL, this::changed);
  }

  /** Writes definitions with this tree as the root of each table. */
  public Path define(String toml) throws IOException {
    Path definitions = Files.createDirectories(root.resolve("definitions"));
    Files.writeString(
        definitions.resolve("test.toml"), toml.replace("]]\n", "]]\nroot = \"" + root + "\"\n"));
    return definitions;
  }

  Resource resource(String name) {
    return registry.resource(name).orElseThrow();
  }

  Device device(String resource, String id) {
    return Objects.requireNonNull(resource(resource).devices().get(id));
  }

  /** The devices that a request's words fit, such as {@code vendor.example/device=serial:1}. */
  List<String> chosen(String request) {
    DeviceRequest one = DeviceRequest.parse(request).getFirst();
    DeviceRequest.Selector selector = one.selectors().getFirst();
    return resource(one.resource()).devices().values().stream()
        .filter(selector::matches)
        .map(Device::id)
        .toList();
  }

  /** What a container gets with these devices. */
  ContainerAllocateResponse allocate(String resource, String... ids) throws IOException {
    return resource(resource).plugin().allocate(List.of(ids));
  }

  /** The nodes of a container with these devices, by their paths in it. */
  List<String> nodes(String resource, String... ids) throws IOException {
    return allocate(resource, ids).getDevicesList().stream()
        .map(DeviceSpec::getContainerPath)
        .toList();
  }

  /** Of devices that containers may hold: {@code RESOURCE BEFORE -> NOW}. */
  BlockingQueue<String> nodeChanges() {
    return nodeChanges;
  }

  private void changed(
      String resource, List<String> ids, List<DeviceSpec> before, List<DeviceSpec> now) {
    nodeChanges.add(resource + " " + before.size() + " -> " + now.size());
  }

  void nvidia(String pci, int minor, String uuid, int numa, String product) throws IOException {
    file(
        "proc/driver/nvidia/gpus/" + pci + "/information",
        "Model: \t\t NVIDIA H100\nGPU UUID: \t " + uuid + "\nDevice Minor: \t " + minor + "\n");
    file("sys/bus/pci/devices/" + pci + "/device", "0x" + product + "\n");
    file("sys/bus/pci/devices/" + pci + "/numa_node", numa + "\n");
    node("dev/nvidia" + minor);
  }

  /** A compute instance of a GPU instance, each with its capability. */
  void mig(int gpu, int gpuInstance, int computeInstance, int outer, int inner) throws IOException {
    String folder = "proc/driver/nvidia/capabilities/gpu" + gpu + "/mig/gi" + gpuInstance;
    file(folder + "/access", "DeviceFileMinor: " + outer + "\nDeviceFileMode: 256\n");
    file(folder + "/ci" + computeInstance + "/access", "DeviceFileMinor: " + inner + "\n");
    node("dev/nvidia-caps/nvidia-cap" + outer);
    node("dev/nvidia-caps/nvidia-cap" + inner);
  }

  void drm(String card, String vendor, String product, String pci, String render)
      throws IOException {
    String device = "sys/class/drm/" + card + "/device/";
    file(device + "vendor", "0x" + vendor + "\n");
    file(device + "device", "0x" + product + "\n");
    file(device + "uevent", "DRIVER=x\nPCI_SLOT_NAME=" + pci + "\n");
    file(device + "numa_node", "-1\n");
    Files.createDirectories(root.resolve(device + "drm/" + render));
    node("dev/dri/" + card);
    node("dev/dri/" + render);
  }

  /**
   * A device that is plugged in.
   *
   * @param name bus and port, such as {@code 1-2}
   * @param serial empty for one that has none
   */
  public void usb(String name, String vendor, String product, String serial, int number)
      throws IOException {
    String device = "sys/bus/usb/devices/" + name + "/";
    int bus = Integer.parseInt(name.substring(0, name.indexOf('-')));
    file(device + "idVendor", vendor);
    file(device + "idProduct", product);
    file(device + "serial", serial);
    file(device + "busnum", "" + bus);
    node("dev/bus/usb/%03d/%03d".formatted(bus, number));
    file(device + "devnum", "" + number);
  }

  void file(String path, String text) throws IOException {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  /** A character device. */
  Path node(String path) throws IOException {
    return make(path, CHARACTER, MAJOR, 200);
  }

  public Path node(String path, int major, int minor) throws IOException {
    return make(path, CHARACTER, major, minor);
  }

  Path disk(String path, int major, int minor) throws IOException {
    return make(path, BLOCK, major, minor);
  }

  private Path make(String path, int type, int major, int minor) throws IOException {
    int slash = path.lastIndexOf('/');
    Path folder = Files.createDirectories(root.resolve(path.substring(0, slash)));
    String name = path.substring(slash + 1);
    Files.deleteIfExists(folder.resolve(name));
    try (Folder parent = Folder.open(folder)) {
      parent.createNode(name, type | 0600, major, minor);
    }
    return folder.resolve(name);
  }

  @Override
  public void close() {
    registry.close();
  }
}
