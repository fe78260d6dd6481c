package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.integration.harness.CsiDriverProcess;
import io.keelson.integration.harness.Registrar;
import io.keelson.integration.harness.TestCertificates;
import io.keelson.integration.harness.TestNode;
import io.keelson.integration.harness.TlsDriver;
import io.keelson.integration.harness.VolumeCalls;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.node.v1.DriverStatus;
import io.keelson.proto.node.v1.ListDriversRequest;
import io.keelson.proto.node.v1.PublishVolumeRequest;
import io.keelson.proto.node.v1.VolumeProgress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** How CSI drivers come to be known, in processes of their own and over the network. */
class DriversIT {

  private static final String FAR = "far.csi.test";
  private static final String OWN = "own.csi.test";

  @RegisterExtension static final TestNode node = TestNode.create();

  private static final TestCertificates CERTIFICATES = certificates();

  @RegisterExtension
  static final TlsDriver far = far(CERTIFICATES.server(), CERTIFICATES.serverKey());

  /** Somebody who has taken a driver's place. */
  @RegisterExtension
  static final TlsDriver stranger =
      far(CERTIFICATES.folder().resolve("x.crt"), CERTIFICATES.folder().resolve("x.key"));

  private final VolumeCalls volumes = new VolumeCalls(node);

  static {
    node.set("volumes.drivers", "[\"%s\", \"%s\"]".formatted(far.endpoint(), stranger.endpoint()))
        .set("volumes.tls_ca_file", "\"" + CERTIFICATES.authority() + "\"")
        .set("volumes.tls_cert_file", "\"" + CERTIFICATES.folder().resolve("client.crt") + "\"")
        .set("volumes.tls_key_file", "\"" + CERTIFICATES.folder().resolve("client.key") + "\"")
        .set("volumes.probe_interval", "\"1s\"")
        .set("volumes.operation_timeout", "\"30s\"");
  }

  private static TestCertificates certificates() {
    try {
      TestCertificates made = TestCertificates.create(node.folder("tls"));
      made.stranger("x");
      return made;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static TlsDriver far(Path certificate, Path key) {
    try {
      return new TlsDriver(FAR, node.folder("far"), certificate, key, CERTIFICATES.authority());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @AfterEach
  void deleteVolumes() {
    node.removeAllPods();
    volumes.list().forEach(each -> volumes.delete(each.getName()));
  }

  @Test
  void aDriverOverTlsIsUsedAndAStrangerIsToldNothing() throws IOException {
    create("v", FAR);
    String path = volumes.publish("p", VolumeCalls.named("v")).getPath();
    Files.writeString(Path.of(path, "file"), "there");
    volumes.unpublish("p");
    assertThat(far.calls()).isPositive();
    assertThat(driver(FAR))
        .hasValueSatisfying(
            it -> {
              assertThat(it.getEndpoint()).isEqualTo(far.endpoint());
              assertThat(it.getState()).isEqualTo("ready");
            });

    Waits.until(
        () -> drivers().stream().anyMatch(it -> it.getState().equals("unreachable")),
        "the stranger was looked at");
    assertThat(drivers())
        .filteredOn(it -> it.getEndpoint().equals(stranger.endpoint()))
        .singleElement()
        .satisfies(
            it -> {
              assertThat(it.getName()).isEmpty();
              assertThat(it.getMessage()).contains("unable to find valid certification path");
            });
    assertThat(stranger.calls()).isZero();
  }

  /**
   * The driver listens where it likes; a program beside it registers it, as on a kubelet's node.
   */
  @Test
  void aSidecarRegistersADriverThatServesAPodBesideTwoOthers() throws IOException {
    try (CsiDriverProcess driver = CsiDriverProcess.start(node, OWN)) {
      try (Registrar registrar = Registrar.start(node, driver)) {
        awaitState(OWN, "ready");
        assertThat(driver(OWN))
            .hasValueSatisfying(
                it -> {
                  assertThat(it.getOrigin()).isEqualTo("registration");
                  assertThat(it.getEndpoint()).isEqualTo("unix://" + driver.socket());
                });
        Waits.until(() -> registrar.told().size() == 2, "it is told, too");
        assertThat(registrar.told()).containsExactly("GetInfo", "registered: true ");
        severalDriversServeOnePod();
      }
    }
  }

  private void severalDriversServeOnePod() throws IOException {
    Map<String, String> driverOf = Map.of("a", VolumeCalls.LOCAL, "b", FAR, "c", OWN);
    PodSandboxConfig.Builder pod = node.pod("several");
    ContainerConfig.Builder container = node.sleeper("main");
    driverOf.forEach(
        (name, driver) -> {
          create(name, driver);
          pod.putAnnotations("volumes.keelson.io/" + name, "{\"volume\": \"" + name + "\"}");
          container.putAnnotations("mounts.keelson.io/" + name, "/" + name);
        });
    String podId = node.cri().runPod(pod.build());
    String id = node.cri().run(podId, container.build(), pod.build());
    node.cri().output(id, "sh", "-c", "for v in a b c; do echo $v > /$v/file; done");
    node.cri().stopPod(podId);
    for (String name : driverOf.keySet()) {
      String path = volumes.publish(name, VolumeCalls.named(name)).getPath();
      assertThat(Path.of(path, "file")).hasContent(name);
      volumes.unpublish(name);
    }
    assertThat(drivers())
        .filteredOn(it -> driverOf.containsValue(it.getName()))
        .extracting(DriverStatus::getOrigin)
        .containsExactlyInAnyOrder("built-in", "configuration", "registration");
    deleteVolumes();
  }

  /** It has registered itself and does so again, while a call waits for it. */
  @Test
  void whatACrashInterruptsGoesOnWhenTheDriverIsBack() throws IOException {
    String folder = node.pluginRegistrations().toString();
    try (CsiDriverProcess driver =
        CsiDriverProcess.start(node, OWN, "--registration-dir", folder)) {
      create("v", OWN);
      driver.kill();
      Iterator<VolumeProgress> publishing =
          node.cri()
              .volumes()
              .publishVolume(
                  PublishVolumeRequest.newBuilder()
                      .setId("p")
                      .setSource(VolumeCalls.named("v"))
                      .build());
      VolumeProgress step = publishing.next();
      while (step.getMessage().isEmpty()) {
        step = publishing.next();
      }
      assertThat(step.getMessage()).contains("UNAVAILABLE");
      driver.start();
      assertThat(VolumeCalls.last(publishing).getPublication().getState()).isEqualTo("published");
      volumes.unpublish("p");
      volumes.delete("v");
    }
    Waits.until(() -> driver(OWN).isEmpty(), "it has ended well and is gone");
  }

  private void create(String name, String driver) {
    volumes.create(VolumeCalls.request(name, driver, 4).build());
  }

  private static void awaitState(String name, String state) {
    Waits.until(
        () -> driver(name).map(it -> it.getState().equals(state)).orElse(false),
        name + " is " + state);
  }

  private static Optional<DriverStatus> driver(String name) {
    return drivers().stream().filter(each -> each.getName().equals(name)).findFirst();
  }

  private static List<DriverStatus> drivers() {
    return node.cri()
        .volumes()
        .listDrivers(ListDriversRequest.getDefaultInstance())
        .getDriversList();
  }
}
