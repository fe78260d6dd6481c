package io.keelson.device.builtin;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.keelson.device.cdi.CdiFolders;
import io.keelson.proto.deviceplugin.v1beta1.ContainerAllocateResponse;
import io.keelson.proto.deviceplugin.v1beta1.Mount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** GPUs as the drivers of NVIDIA, AMD and Intel tell them. */
class GpuPluginsTest {

  private static final String NVIDIA = "nvidia.com/gpu";
  private static final String AMD = "amd.com/gpu";
  private static final String INTEL = "gpu.intel.com/i915";
  private static final String FIRST_AMD = "0000:03:00.0";
  private static final String SECOND_AMD = "0000:83:00.0";

  @TempDir Path folder;

  private FakeHost host;

  @BeforeEach
  void make() {
    host = new FakeHost(folder);
  }

  @AfterEach
  void close() {
    host.close();
  }

  private void nvidiaCards() throws IOException {
    host.nvidia("0000:01:00.0", 0, "GPU-aaaa", 0, "2330");
    host.nvidia("0000:41:00.0", 1, "GPU-bbbb", 1, "20b2");
    for (String node : List.of("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset")) {
      host.node("dev/" + node);
    }
    host.file("usr/lib64/libcuda.so.1", "library");
    host.file("usr/lib64/libc.so.6", "another library");
    host.file("usr/bin/nvidia-smi", "program");
  }

  private void dividedCard() throws IOException {
    host.nvidia("0000:01:00.0", 0, "GPU-aaaa", 0, "2330");
    host.mig(0, 1, 0, 12, 13);
    host.mig(0, 2, 0, 21, 22);
  }

  private void drmCards() throws IOException {
    host.drm("card0", "1002", "740f", FIRST_AMD, "renderD128");
    host.drm("card1", "8086", "56c0", "0000:00:02.0", "renderD129");
    host.drm("card2", "1002", "7408", SECOND_AMD, "renderD130");
    host.drm("card3", "8086", "0bd5", "0000:99:00.0", "renderD131");
    host.file("sys/class/drm/card2/device/unique_id", "5a1c\n");
    Files.createDirectories(folder.resolve("sys/class/drm/card1-HDMI-A-1"));
    host.node("dev/kfd");
  }

  @Test
  void nvidiaGpusAreToldByTheirDriverAndSeenAlone() throws Exception {
    nvidiaCards();
    host.start("[[gpu]]\nvendors = [\"nvidia\"]\n");

    assertThat(host.resource(NVIDIA).devices().keySet()).containsExactly("GPU-aaaa", "GPU-bbbb");
    assertThat(host.device(NVIDIA, "GPU-bbbb").numaNodes()).containsExactly(1L);
    assertThat(host.device(NVIDIA, "GPU-bbbb").attributes())
        .containsEntry("pci", "0000:41:00.0")
        .containsEntry("vendor", "10de")
        .containsEntry("product", "20b2")
        .containsEntry("uuid", "GPU-bbbb");
    assertThat(host.nodes(NVIDIA, "GPU-bbbb"))
        .containsExactly(
            "/dev/nvidia1",
            "/dev/nvidiactl",
            "/dev/nvidia-uvm",
            "/dev/nvidia-uvm-tools",
            "/dev/nvidia-modeset");
    ContainerAllocateResponse answer = host.allocate(NVIDIA, "GPU-bbbb");
    assertThat(answer.getEnvsMap()).containsEntry("NVIDIA_VISIBLE_DEVICES", "GPU-bbbb");
    assertThat(answer.getMountsList())
        .allMatch(Mount::getReadOnly)
        .extracting(Mount::getContainerPath)
        .containsExactly(
            "/usr/local/nvidia/lib64/libcuda.so.1", "/usr/local/nvidia/bin/nvidia-smi");
  }

  /** Each chooses some and leaves others out. */
  @ParameterizedTest
  @CsvSource({
    "nvidia.com/gpu=id:GPU-bbbb, GPU-bbbb",
    "nvidia.com/gpu=uuid:GPU-bbbb, GPU-bbbb",
    "nvidia.com/gpu=pci:0000:41:00.0, GPU-bbbb",
    "nvidia.com/gpu=product:2330, GPU-aaaa",
    "nvidia.com/gpu=product:ffff, ",
    "nvidia.com/gpu=vendor:10de, GPU-aaaa GPU-bbbb",
    "nvidia.com/gpu=vendor:1002, ",
    "amd.com/gpu=vendor:1002, 0000:03:00.0 0000:83:00.0",
    "amd.com/gpu=vendor:8086, ",
    "amd.com/gpu=product:7408, 0000:83:00.0",
    "amd.com/gpu=pci:0000:03:00.0, 0000:03:00.0",
    "amd.com/gpu=card:card2, 0000:83:00.0",
    "amd.com/gpu=uuid:5a1c, 0000:83:00.0",
    "gpu.intel.com/i915=id:0000:00:02.0, 0000:00:02.0",
    "gpu.intel.com/i915=product:0bd5, 0000:99:00.0",
    "gpu.intel.com/i915=vendor:8086, 0000:00:02.0 0000:99:00.0",
    "gpu.intel.com/i915=pci:0000:03:00.0, ",
  })
  void aGpuIsChosenByWhatItIs(String request, String ids) throws Exception {
    nvidiaCards();
    drmCards();
    host.start("[[gpu]]\n");

    assertThat(host.chosen(request))
        .containsExactlyElementsOf(ids == null ? List.of() : List.of(ids.split(" ", -1)));
  }

  @Test
  void aDividedGpuIsGivenByItsMigInstances() throws Exception {
    dividedCard();
    host.start("[[gpu]]\nvendors = [\"nvidia\"]\n");

    assertThat(host.resource(NVIDIA).devices().keySet())
        .containsExactly("GPU-aaaa/1/0", "GPU-aaaa/2/0");
    assertThat(host.chosen("nvidia.com/gpu=mig:2/0")).containsExactly("GPU-aaaa/2/0");
    assertThat(host.nodes(NVIDIA, "GPU-aaaa/2/0"))
        .containsExactly(
            "/dev/nvidia0", "/dev/nvidia-caps/nvidia-cap21", "/dev/nvidia-caps/nvidia-cap22");
  }

  @Test
  void amdAndIntelGpusAreFoundByTheirDrmNodes() throws Exception {
    drmCards();
    host.start("[[gpu]]\n");

    assertThat(host.resource(AMD).devices().keySet()).containsExactly(FIRST_AMD, SECOND_AMD);
    assertThat(host.nodes(AMD, FIRST_AMD))
        .containsExactly("/dev/dri/card0", "/dev/dri/renderD128", "/dev/kfd");
    assertThat(host.nodes(INTEL, "0000:00:02.0"))
        .containsExactly("/dev/dri/card1", "/dev/dri/renderD129");
  }

  @Test
  void aSharedGpuHasAnIdForEachHolder() throws Exception {
    drmCards();
    host.start("[[gpu]]\nvendors = [\"intel\"]\nshares = 2\n");

    assertThat(host.resource(INTEL).devices().keySet())
        .containsExactly(
            "0000:00:02.0::0", "0000:00:02.0::1", "0000:99:00.0::0", "0000:99:00.0::1");
    assertThat(host.nodes(INTEL, "0000:99:00.0::0"))
        .isEqualTo(host.nodes(INTEL, "0000:99:00.0::1"))
        .containsExactly("/dev/dri/card3", "/dev/dri/renderD131");
  }

  @Test
  void cdiSpecsHaveTheLibrariesOfNvidiaForAllOfItsDevices() throws Exception {
    nvidiaCards();

    JsonNode spec = written("nvidia");

    assertThat(names(spec.get("devices"), "name")).containsExactly("GPU-aaaa", "GPU-bbbb");
    assertThat(names(spec.at("/devices/1/containerEdits/deviceNodes"), "path"))
        .containsExactly("/dev/nvidia1");
    assertThat(names(spec.at("/containerEdits/deviceNodes"), "path"))
        .containsExactly(
            "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia-modeset");
    JsonNode mounts = spec.at("/containerEdits/mounts");
    assertThat(names(mounts, "hostPath"))
        .containsExactly(folder + "/usr/lib64/libcuda.so.1", folder + "/usr/bin/nvidia-smi");
    assertThat(names(mounts, "containerPath"))
        .containsExactly(
            "/usr/local/nvidia/lib64/libcuda.so.1", "/usr/local/nvidia/bin/nvidia-smi");
    assertThat(mounts).allMatch(mount -> mount.get("options").toString().contains("\"ro\""));
  }

  @Test
  void cdiSpecsNameEachMigInstance() throws Exception {
    dividedCard();

    JsonNode spec = written("nvidia");

    assertThat(names(spec.get("devices"), "name")).containsExactly("GPU-aaaa.1.0", "GPU-aaaa.2.0");
    assertThat(names(spec.at("/devices/0/containerEdits/deviceNodes"), "path"))
        .containsExactly(
            "/dev/nvidia0", "/dev/nvidia-caps/nvidia-cap12", "/dev/nvidia-caps/nvidia-cap13");
  }

  @Test
  void cdiSpecsOfAmdAndIntelNameTheirCards() throws Exception {
    drmCards();

    JsonNode amd = written("amd");
    assertThat(names(amd.get("devices"), "name")).containsExactly(FIRST_AMD, SECOND_AMD);
    assertThat(names(amd.at("/devices/1/containerEdits/deviceNodes"), "path"))
        .containsExactly("/dev/dri/card2", "/dev/dri/renderD130");
    assertThat(names(amd.at("/containerEdits/deviceNodes"), "path")).containsExactly("/dev/kfd");
    JsonNode intel = written("intel");
    assertThat(names(intel.at("/devices/0/containerEdits/deviceNodes"), "path"))
        .containsExactly("/dev/dri/card1", "/dev/dri/renderD129");
    assertThat(intel.has("containerEdits")).isFalse();
  }

  /** The spec of one vendor, which a reader of CDI takes. */
  private JsonNode written(String vendor) throws IOException {
    Path specs = folder.resolve("cdi");
    try (FakeHost other = new FakeHost(folder)) {
      List<Path> files =
          other.start("[[gpu]]\nvendors = [\"%s\"]\n".formatted(vendor)).writeCdiSpecs(specs);
      assertThat(files)
          .containsExactly(specs.resolve("keelson-gpu-keelson-io-" + vendor + ".json"));
      CdiFolders.Inventory read = new CdiFolders(List.of(specs)).inventory();
      assertThat(read.errors()).isEmpty();
      assertThat(read.devices())
          .containsValue(files.getFirst())
          .allSatisfy((name, _) -> assertThat(name).startsWith("gpu.keelson.io/"));
      return new ObjectMapper().readTree(Files.readAllBytes(files.getFirst()));
    }
  }

  private static List<String> names(JsonNode list, String field) {
    List<String> names = new ArrayList<>();
    list.forEach(entry -> names.add(entry.get(field).asText()));
    return names;
  }
}
