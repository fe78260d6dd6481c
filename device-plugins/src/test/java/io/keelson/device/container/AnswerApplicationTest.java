package io.keelson.device.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.device.container.DeviceAnnotations.Ownership;
import io.keelson.proto.deviceplugin.v1beta1.ContainerAllocateResponse;
import io.keelson.proto.deviceplugin.v1beta1.DeviceSpec;
import io.keelson.proto.deviceplugin.v1beta1.Mount;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.spec.SpecBuilder;
import io.keelson.sandbox.spec.SpecMount;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What a plugin's answer makes of a container's spec. */
class AnswerApplicationTest {

  private static final Ownership AS_ON_THE_HOST = DeviceAnnotations.ownership(Map.of());

  private final SpecBuilder spec = new SpecBuilder();

  private static ContainerAllocateResponse answer(String path, String permissions) {
    return ContainerAllocateResponse.newBuilder()
        .putEnvs("WIDGET", "w0")
        .putAnnotations("vendor.example/widget", "w0")
        .putAnnotations("devices.keelson.io/mode", "0600")
        .putAnnotations("cdi.k8s.io/widget", "vendor.example/widget=w0")
        .addMounts(
            Mount.newBuilder()
                .setHostPath("/usr/share")
                .setContainerPath("/opt/widget")
                .setReadOnly(true))
        .addDevices(
            DeviceSpec.newBuilder()
                .setHostPath(path)
                .setContainerPath("/dev/widget")
                .setPermissions(permissions))
        .build();
  }

  private void apply(ContainerAllocateResponse answer, String... labels) throws IOException {
    Map<String, String> all = labels.length == 0 ? Map.of() : Map.of(labels[0], "");
    AnswerApplication.apply(answer, spec, AS_ON_THE_HOST, all, false);
  }

  @Test
  void everyPartReachesTheSpec() throws Exception {
    apply(answer("/dev/null", "r"));

    assertThat(spec.env()).containsEntry("WIDGET", "w0");
    assertThat(spec.annotations()).containsExactly(Map.entry("vendor.example/widget", "w0"));
    assertThat(spec.mounts())
        .singleElement()
        .satisfies(mount -> assertThat(mount.destination()).isEqualTo("/opt/widget"))
        .satisfies(mount -> assertThat(mount.options()).contains("ro"));
    assertThat(spec.devices())
        .singleElement()
        .satisfies(node -> assertThat(node.path()).isEqualTo("/dev/widget"))
        .satisfies(node -> assertThat(node.major() + ":" + node.minor()).isEqualTo("1:3"));
    assertThat(new String(spec.resources(), java.nio.charset.StandardCharsets.UTF_8))
        .contains("\"access\":\"r\"");
  }

  /** As nvidia-docker and Mesos do with the driver's libraries. */
  @Test
  void mountsForALabelAreForImagesWithItAlone() throws Exception {
    ContainerAllocateResponse labelled =
        answer("/dev/null", "rw").toBuilder()
            .putAnnotations("devices.keelson.io/mounts-for-label", "com.nvidia.volumes.needed")
            .build();
    apply(labelled, "another.label");
    assertThat(spec.mounts()).isEmpty();
    assertThat(spec.annotations()).hasSize(1);
    apply(labelled, "com.nvidia.volumes.needed");
    assertThat(spec.mounts()).extracting(SpecMount::destination).containsExactly("/opt/widget");
  }

  @Test
  void whatIsNoDeviceIsRefusedInWords() {
    assertThatThrownBy(() -> apply(answer("/dev/nothing-there", "rw")))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("/dev/nothing-there, which the plugin names, does not exist");
    assertThatThrownBy(() -> apply(answer("/etc/hostname", "rw")))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("is no device node");
    assertThatThrownBy(() -> apply(answer("/dev/null", "rwx")))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("permissions 'rwx'");
  }

  /** The person's word is above the plugin's, and both are above the host's. */
  @Test
  void theFirstToNameAnOwnerOrAModeIsHeard() {
    Ownership person = DeviceAnnotations.ownership(Map.of("devices.keelson.io/owner", "7"));
    Ownership plugin =
        DeviceAnnotations.ownership(
            Map.of("devices.keelson.io/owner", "8:9", "devices.keelson.io/mode", "0604"));
    assertThat(person.or(plugin))
        .isEqualTo(new Ownership(Optional.of(7L), Optional.of(7L), Optional.of(0604)));
    assertThat(AS_ON_THE_HOST.or(plugin)).isEqualTo(plugin);
  }
}
