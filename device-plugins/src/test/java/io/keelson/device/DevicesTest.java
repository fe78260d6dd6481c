package io.keelson.device;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.keelson.device.builtin.FakeHost;
import io.keelson.linux.netlink.KernelEvents;
import io.keelson.sandbox.FaultPoints;
import io.keelson.sandbox.rpc.UnixChannels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The parts of this module, put together as a daemon has them. */
class DevicesTest {

  /** Whoever writes there has the kernel tell everybody of this device. */
  private static final Path UEVENT = Path.of("/sys/class/tty/console/uevent");

  @TempDir Path folder;

  /** Nothing looks at the host by itself here: what happens, happens because the kernel told. */
  @Test
  void usbDevicesComeAndGoWithTheKernelsWord() throws Exception {
    assumeThat(UEVENT).isWritable();
    try (FakeHost host = new FakeHost(folder);
        UnixChannels channels = new UnixChannels()) {
      Path definitions =
          host.define("[[usb]]\nresource = \"usb.keelson.io/phone\"\nvendor = \"18d1\"\n");
      DeviceSettings settings =
          new DeviceSettings(
              folder.resolve("checkpoints"),
              folder.resolve("plugins"),
              Duration.ofSeconds(1),
              List.of(folder.resolve("cdi")),
              definitions,
              Duration.ofHours(1),
              folder.resolve("pod-resources.sock"),
              false);
      AtomicInteger told = new AtomicInteger();
      try (KernelEvents _ = KernelEvents.watch(_ -> told.incrementAndGet());
          Devices devices = Devices.open(settings, channels, FaultPoints.NONE)) {
        assertThat(phones(devices)).isEmpty();
        host.usb("1-2", "18d1", "4ee7", "0815", 5);
        TimeUnit.MILLISECONDS.sleep(300);
        if (!phones(devices).isEmpty()) {
          // The kernel may have told of another device just then: of a disk of another test.
          TimeUnit.MILLISECONDS.sleep(300);
          assertThat(told).as("somebody has told").hasPositiveValue();
        }
        kernelTells();
        await(devices, List.of("18d1:4ee7:0815 true"));
        Files.delete(folder.resolve("sys/bus/usb/devices/1-2/idVendor"));
        kernelTells();
        await(devices, List.of("18d1:4ee7:0815 false"));
        host.usb("1-3", "18d1", "4ee7", "0815", 6);
        kernelTells();
        await(devices, List.of("18d1:4ee7:0815 true"));
      }
    }
  }

  private static void kernelTells() throws Exception {
    Files.write(UEVENT, "change".getBytes(UTF_8));
  }

  private static void await(Devices devices, List<String> wanted) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(15);
    while (!phones(devices).equals(wanted) && System.nanoTime() < end) {
      TimeUnit.MILLISECONDS.sleep(10);
    }
    assertThat(phones(devices)).isEqualTo(wanted);
  }

  private static List<String> phones(Devices devices) {
    return devices.node().inventory().stream()
        .flatMap(resource -> resource.devices().stream())
        .map(entry -> entry.device().id() + " " + entry.usable())
        .toList();
  }
}
