package io.keelson.device.builtin;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** USB devices as sysfs tells them. */
class UsbScanTest {

  private static final String PHONE = "usb.keelson.io/phone";
  private static final String ID = "18d1:4ee7:0815";

  @TempDir Path folder;

  private FakeHost host;

  @BeforeEach
  void plugIn() throws IOException {
    host = new FakeHost(folder);
    host.usb("1-2", "18d1", "4ee7", "0815", 5);
  }

  @AfterEach
  void close() {
    host.close();
  }

  private void define(String... keys) throws IOException {
    host.start("[[usb]]\nresource = \"" + PHONE + "\"\n" + String.join("\n", keys) + "\n");
  }

  /** Each word alone tells the one device from the others that look like it. */
  @ParameterizedTest
  @CsvSource({
    "vendor, 18D1, 18d1:4ee7:0815 18d1:4ee8:port-1-3",
    "product, 4ee7, 18d1:4ee7:0815 0403:4ee7:0815",
    "serial, 0815, 18d1:4ee7:0815 0403:4ee7:0815",
    "bus, 2, 0403:4ee7:0815 0403:6001:4711",
    "port, 1.4, 0403:6001:4711",
    "port, 2, 18d1:4ee7:0815 0403:4ee7:0815",
    "vendor, ffff, ",
  })
  void devicesAreChosenByWhatTheyAreAndWhereTheyArePluggedIn(String key, String value, String ids)
      throws Exception {
    host.usb("1-3", "18d1", "4ee8", "", 6);
    host.usb("2-2", "0403", "4ee7", "0815", 7);
    host.usb("2-1.4", "0403", "6001", "4711", 8);
    host.usb("2-1", "1d6b", "0002", "", 2);
    host.file("sys/bus/usb/devices/2-1/bDeviceClass", "09"); // a hub
    host.file("sys/bus/usb/devices/2-2:1.0/bInterfaceNumber", "00"); // no device but a part of one

    define("%s = \"%s\"".formatted(key, value));

    assertThat(host.resource(PHONE).devices().keySet())
        .containsExactlyInAnyOrderElementsOf(ids == null ? List.of() : List.of(ids.split(" ", -1)));
  }

  @Test
  void allWordsTogetherMustFit() throws Exception {
    host.usb("1-3", "18d1", "4ee8", "0816", 6);
    define("vendor = \"18d1\"", "product = \"4ee8\"", "bus = \"1\"", "port = \"3\"");
    assertThat(host.resource(PHONE).devices().keySet()).containsExactly("18d1:4ee8:0816");
  }

  @Test
  void aRequestChoosesAmongThem() throws Exception {
    host.usb("1-3", "18d1", "4ee8", "0816", 6);
    define("vendor = \"18d1\"");
    for (String wish : List.of("serial:0815", "port:2", "product:4ee7", "id:" + ID)) {
      assertThat(host.chosen(PHONE + "=" + wish)).as(wish).containsExactly(ID);
    }
    assertThat(host.chosen(PHONE + "=bus:1")).hasSize(2);
    assertThat(host.chosen(PHONE + "=bus:2")).isEmpty();
  }

  @Test
  void aSharedDeviceHasAnIdForEachHolder() throws Exception {
    define("shares = 2");
    assertThat(host.resource(PHONE).devices().keySet()).containsExactly(ID + "::0", ID + "::1");
    assertThat(host.nodes(PHONE, ID + "::1")).containsExactly("/dev/bus/usb/001/005");
  }

  /** It has another number then, and another node. */
  @Test
  void aDeviceKeepsItsIdWhenItComesBack() throws Exception {
    define("vendor = \"18d1\"");
    assertThat(host.resource(PHONE).devices().keySet()).containsExactly(ID);

    Files.delete(folder.resolve("dev/bus/usb/001/005"));
    host.usb("1-4", "18d1", "4ee7", "0815", 9);
    Files.delete(folder.resolve("sys/bus/usb/devices/1-2/idVendor"));
    assertThat(host.nodeChanges().poll(15, TimeUnit.SECONDS)).startsWith(PHONE + " 1 -> ");
    // The plugin may have looked in the middle of the change.
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(15);
    while (host.nodes(PHONE, ID).isEmpty() && System.nanoTime() < end) {
      TimeUnit.MILLISECONDS.sleep(20);
    }
    assertThat(host.nodes(PHONE, ID)).containsExactly("/dev/bus/usb/001/009");
    assertThat(host.resource(PHONE).devices().keySet()).containsExactly(ID);
    assertThat(host.device(PHONE, ID).attributes()).containsEntry("port", "4");
  }
}
