package io.keelson.device.builtin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.keelson.device.allocation.DeviceRequest;
import io.keelson.device.plugin.Device;
import io.keelson.device.plugin.PluginRegistry;
import io.keelson.device.plugin.Resource;
import io.keelson.linux.Commands;
import io.keelson.proto.deviceplugin.v1beta1.ContainerAllocateResponse;
import io.keelson.proto.deviceplugin.v1beta1.DeviceSpec;
import io.keelson.proto.deviceplugin.v1beta1.Mount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Built-in plugins over a tree of /proc, /sys and /dev with real device nodes in it. */
class BuiltInPluginsTest {

  @TempDir Path folder;

  private final PluginRegistry registry = new PluginRegistry(Duration.ofSeconds(1));
  private final BlockingQueue<String> nodeChanges = new LinkedBlockingQueue<>();

  @AfterEach
  void close() {
    registry.close();
  }

  @Test
  void nvidiaGpusAreToldByTheirDriverAndSeenAlone() throws Exception {
    gpu("0000:01:00.0", 0, "GPU-aaaa", 0);
    gpu("0000:41:00.0", 1, "GPU-bbbb", 1);
    node("dev/nvidiactl");
    node("dev/nvidia-uvm");
    file("usr/lib64/libcuda.so.1", "library");
    file("usr/lib64/libc.so.6", "another library");
    file("usr/bin/nvidia-smi", "program");

    Resource gpus = start("[[gpu]]\nvendors = [\"nvidia\"]\n").apply("nvidia.com/gpu");

    assertThat(gpus.devices().keySet()).containsExactly("GPU-aaaa", "GPU-bbbb");
    for (String wish : List.of("uuid:GPU-bbbb", "id:GPU-bbbb", "pci:0000:41:00.0")) {
      assertThat(chosen(gpus, "nvidia.com/gpu=" + wish)).as(wish).containsExactly("GPU-bbbb");
    }
    assertThat(chosen(gpus, "nvidia.com/gpu=product:2330")).containsExactly("GPU-aaaa", "GPU-bbbb");
    Device second = device(gpus, "GPU-bbbb");
    assertThat(second.numaNodes()).containsExactly(1L);
    assertThat(second.attributes())
        .containsEntry("pci", "0000:41:00.0")
        .containsEntry("product", "2330")
        .containsEntry("uuid", "GPU-bbbb");
    ContainerAllocateResponse answer = gpus.plugin().allocate(List.of("GPU-bbbb"));
    assertThat(answer.getDevicesList())
        .extracting(DeviceSpec::getContainerPath)
        .containsExactly("/dev/nvidia1", "/dev/nvidiactl", "/dev/nvidia-uvm");
    assertThat(answer.getEnvsMap()).containsEntry("NVIDIA_VISIBLE_DEVICES", "GPU-bbbb");
    assertThat(answer.getMountsList())
        .extracting(Mount::getContainerPath)
        .containsExactly(
            "/usr/local/nvidia/lib64/libcuda.so.1", "/usr/local/nvidia/bin/nvidia-smi");
  }

  @Test
  void aDividedGpuIsGivenByItsMigInstances() throws Exception {
    gpu("0000:01:00.0", 0, "GPU-aaaa", 0);
    String mig = "proc/driver/nvidia/capabilities/gpu0/mig/";
    file(mig + "gi1/access", "DeviceFileMinor: 12\nDeviceFileMode: 256\n");
    file(mig + "gi1/ci0/access", "DeviceFileMinor: 13\n");
    file(mig + "gi2/access", "DeviceFileMinor: 21\n");
    file(mig + "gi2/ci0/access", "DeviceFileMinor: 22\n");
    for (int minor : new int[] {12, 13, 21, 22}) {
      node("dev/nvidia-caps/nvidia-cap" + minor);
    }
    Resource gpus = start("[[gpu]]\nvendors = [\"nvidia\"]\n").apply("nvidia.com/gpu");

    assertThat(gpus.devices().keySet()).containsExactly("GPU-aaaa/1/0", "GPU-aaaa/2/0");
    assertThat(chosen(gpus, "nvidia.com/gpu=mig:2/0")).containsExactly("GPU-aaaa/2/0");
    assertThat(gpus.plugin().allocate(List.of("GPU-aaaa/2/0")).getDevicesList())
        .extracting(DeviceSpec::getContainerPath)
        .containsExactly(
            "/dev/nvidia0", "/dev/nvidia-caps/nvidia-cap21", "/dev/nvidia-caps/nvidia-cap22");
  }

  @Test
  void amdAndIntelGpusAreFoundByTheirDrmNodes() throws Exception {
    drm("card0", "0x1002", "0000:03:00.0", "renderD128");
    drm("card1", "0x8086", "0000:00:02.0", "renderD129");
    Files.createDirectories(folder.resolve("sys/class/drm/card1-HDMI-A-1"));
    node("dev/kfd");
    Function<String, Resource> resources = start("[[gpu]]\n");

    Resource amd = resources.apply("amd.com/gpu");
    assertThat(amd.devices().keySet()).containsExactly("0000:03:00.0");
    assertThat(amd.plugin().allocate(List.of("0000:03:00.0")).getDevicesList())
        .extracting(DeviceSpec::getContainerPath)
        .containsExactly("/dev/dri/card0", "/dev/dri/renderD128", "/dev/kfd");
    Resource intel = resources.apply("gpu.intel.com/i915");
    assertThat(intel.plugin().allocate(List.of("0000:00:02.0")).getDevicesList())
        .extracting(DeviceSpec::getContainerPath)
        .containsExactly("/dev/dri/card1", "/dev/dri/renderD129");
  }

  @Test
  void aSharedDeviceHasAnIdForEachHolder() throws Exception {
    Path node = node("dev/thing");
    Resource things =
        start(
                """
                [[unix]]
                resource = "unix.keelson.io/thing"
                paths = ["%s", "/dev/full"]
                container_path = "/dev/thing"
                shares = 2
                """
                    .formatted(node))
            .apply("unix.keelson.io/thing");

    String id = node.toString().substring(1).replace('/', '-');
    assertThat(things.devices().keySet())
        .containsExactly(id + "::0", id + "::1", "full::0", "full::1");
    assertThat(things.plugin().allocate(List.of(id + "::1")).getDevices(0).getHostPath())
        .isEqualTo(node.toString());
  }

  /** By type and number, whatever the names are. */
  @Test
  void nodesAreFoundByTheirNumbersWithOwnerAndMode() throws Exception {
    Resource memory =
        start(
                """
                [[unix]]
                resource = "unix.keelson.io/memory"
                numbers = ["c 1:3", "c 1:7"]
                permissions = "r"
                owner = "1000:44"
                mode = "0640"
                """)
            .apply("unix.keelson.io/memory");

    assertThat(memory.devices().keySet()).containsExactlyInAnyOrder("null", "full");
    assertThat(device(memory, "null").attributes()).containsEntry("number", "c 1:3");
    ContainerAllocateResponse answer = memory.plugin().allocate(List.of("null"));
    assertThat(answer.getDevicesList())
        .extracting(DeviceSpec::getContainerPath, DeviceSpec::getPermissions)
        .containsExactly(tuple("/dev/null", "r"));
    assertThat(answer.getAnnotationsMap())
        .containsEntry("devices.keelson.io/owner", "1000:44")
        .containsEntry("devices.keelson.io/mode", "0640");
  }

  /** required = false: the device is given before it is there, and told when it comes. */
  @Test
  void aNodeThatIsWaitedForIsToldWhenItComesAndGoes() throws Exception {
    Path node = folder.resolve("dev/later");
    Resource later =
        start(
                """
                [[unix]]
                resource = "unix.keelson.io/later"
                paths = ["%s"]
                required = false
                """
                    .formatted(node))
            .apply("unix.keelson.io/later");
    String id = later.devices().keySet().iterator().next();
    assertThat(later.isUsable(id)).isTrue();
    assertThat(later.plugin().allocate(List.of(id)).getDevicesList()).isEmpty();

    node("dev/later");
    assertThat(nodeChanges.poll(15, TimeUnit.SECONDS)).isEqualTo("unix.keelson.io/later 0 -> 1");
    Files.delete(node);
    assertThat(nodeChanges.poll(15, TimeUnit.SECONDS)).isEqualTo("unix.keelson.io/later 1 -> 0");
  }

  /** A USB device that comes back has another number and is the same device. */
  @Test
  void aUsbDeviceKeepsItsIdWhenItComesBack() throws Exception {
    usb("1-2", "18d1", "4ee7", "0815", "1", "5");
    node("dev/bus/usb/001/005");
    Function<String, Resource> resources =
        start(
            """
            [[usb]]
            resource = "usb.keelson.io/phone"
            vendor = "18d1"
            root = "%s"
            """
                .formatted(folder));
    Resource phones = resources.apply("usb.keelson.io/phone");
    assertThat(phones.devices().keySet()).containsExactly("18d1:4ee7:0815");
    assertThat(device(phones, "18d1:4ee7:0815").attributes())
        .containsEntry("serial", "0815")
        .containsEntry("port", "2");

    Files.delete(folder.resolve("dev/bus/usb/001/005"));
    usb("1-2", "18d1", "4ee7", "0815", "1", "9");
    node("dev/bus/usb/001/009");
    assertThat(nodeChanges.poll(15, TimeUnit.SECONDS)).startsWith("usb.keelson.io/phone 1 -> ");
    // The plugin may have looked in the middle of the change.
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(15);
    while (phones.plugin().allocate(List.of("18d1:4ee7:0815")).getDevicesCount() == 0
        && System.nanoTime() < end) {
      TimeUnit.MILLISECONDS.sleep(20);
    }
    assertThat(phones.plugin().allocate(List.of("18d1:4ee7:0815")).getDevices(0).getContainerPath())
        .isEqualTo("/dev/bus/usb/001/009");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[[unix]] | resource name \"\" is not of the form",
        "[[unix]];resource = \"a.b/c\" | neither paths nor numbers",
        "[[unix]];resource = \"a.b/c\";numbers = [\"x 1:2\"] | is not of the form \"c"
            + " MAJOR:MINOR\"",
        "[[unix]];resource = \"a.b/c\";paths = [\"/x\"];owner = \"me\" | owner \"me\" is not",
        "[[unix]];resource = \"a.b/c\";paths = [\"/x\"];mode = \"rw\" | mode \"rw\" is not",
        "[[unix]];resource = \"a.b/c\";path = [\"/dev/x\"] | unknown key path",
        "[[gpu]];vendors = [\"acme\"] | GPU vendor \"acme\" is none of",
        "[[disk]] | there are unix, gpu",
        "unix = 3 | write [[unix]]",
        "[[gpu]];shares = 0 | shares must be a number from 1 to 1000",
      })
  void aWrongDefinitionIsRefusedWithItsFile(String text, String message) throws Exception {
    Path file = folder.resolve("bad.toml");
    Files.writeString(file, text.replace(';', '\n'));
    assertThatThrownBy(() -> BuiltInPlugins.read(folder, this::changed))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(message);
  }

  private Function<String, Resource> start(String toml) throws IOException {
    Path definitions = Files.createDirectories(folder.resolve("definitions"));
    String rooted = toml.replace("[[gpu]]\n", "[[gpu]]\nroot = \"" + folder + "\"\n");
    Files.writeString(definitions.resolve("test.toml"), rooted);
    BuiltInPlugins.read(definitions, this::changed).start(registry);
    return name -> registry.resource(name).orElseThrow();
  }

  /** The devices that a request's words fit. */
  private static List<String> chosen(Resource resource, String request) {
    DeviceRequest.Selector selector =
        DeviceRequest.parse(request).getFirst().selectors().getFirst();
    return resource.devices().values().stream().filter(selector::matches).map(Device::id).toList();
  }

  private static Device device(Resource resource, String id) {
    return Objects.requireNonNull(resource.devices().get(id));
  }

  private void changed(
      String resource, List<String> ids, List<DeviceSpec> before, List<DeviceSpec> now) {
    nodeChanges.add(resource + " " + before.size() + " -> " + now.size());
  }

  private void gpu(String pci, int minor, String uuid, int numa) throws Exception {
    file(
        "proc/driver/nvidia/gpus/" + pci + "/information",
        "Model: \t\t NVIDIA H100\nGPU UUID: \t " + uuid + "\nDevice Minor: \t " + minor + "\n");
    file("sys/bus/pci/devices/" + pci + "/device", "0x2330\n");
    file("sys/bus/pci/devices/" + pci + "/numa_node", numa + "\n");
    node("dev/nvidia" + minor);
  }

  private void drm(String card, String vendor, String pci, String render) throws Exception {
    String device = "sys/class/drm/" + card + "/device/";
    file(device + "vendor", vendor + "\n");
    file(device + "device", "0x1234\n");
    file(device + "uevent", "DRIVER=x\nPCI_SLOT_NAME=" + pci + "\n");
    file(device + "numa_node", "-1\n");
    Files.createDirectories(folder.resolve(device + "drm/" + render));
    node("dev/dri/" + card);
    node("dev/dri/" + render);
  }

  private void usb(
      String name, String vendor, String product, String serial, String bus, String number)
      throws IOException {
    String device = "sys/bus/usb/devices/" + name + "/";
    file(device + "idVendor", vendor);
    file(device + "idProduct", product);
    file(device + "serial", serial);
    file(device + "busnum", bus);
    file(device + "devnum", number);
  }

  private void file(String path, String text) throws IOException {
    Path file = folder.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private Path node(String path) throws IOException {
    Path node = folder.resolve(path);
    Files.createDirectories(node.getParent());
    Commands.Output made =
        Commands.run(
            List.of("/bin/mknod", node.toString(), "c", "511", "200"),
            Map.of(),
            new byte[0],
            Duration.ofSeconds(10),
            1000);
    assertThat(made.exitCode()).isZero();
    return node;
  }
}
