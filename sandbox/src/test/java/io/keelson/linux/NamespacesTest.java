package io.keelson.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NamespacesTest {

  @TempDir Path folder;
  private final Map<NamespaceType, Path> pins = new EnumMap<>(NamespaceType.class);

  @BeforeEach
  void pins() {
    for (NamespaceType type :
        new NamespaceType[] {NamespaceType.NET, NamespaceType.IPC, NamespaceType.UTS}) {
      pins.put(type, folder.resolve("deep/down/" + type.procName()));
    }
  }

  @AfterEach
  void unpinAll() throws IOException {
    for (Path pin : pins.values()) {
      Namespaces.unpin(pin);
    }
  }

  @Test
  void eachPinHoldsANamespaceOfItsKindThatIsNotTheHosts() throws Exception {
    Namespaces.create(pins, "pod", Map.of());

    for (Map.Entry<NamespaceType, Path> entry : pins.entrySet()) {
      String name = entry.getKey().procName();
      Path file = Path.of("/proc/thread-self/ns", name);
      String inside =
          Namespaces.callIn(
              entry.getValue(), entry.getKey(), () -> Files.readSymbolicLink(file).toString());
      assertThat(inside).startsWith(name + ":");
      assertThat(inside).isNotEqualTo(Files.readSymbolicLink(file).toString());
    }
  }

  @Test
  void theHostnameIsOfTheNewNamespaceAlone() throws Exception {
    Path file = Path.of("/proc/sys/kernel/hostname");
    String before = Files.readString(file);

    Namespaces.create(pins, "web-1.example", Map.of());

    assertThat(in(NamespaceType.UTS, file)).isEqualTo("web-1.example\n");
    assertThat(Files.readString(file)).isEqualTo(before);
  }

  @Test
  void theLoopbackOfANewNetworkIsUp() throws Exception {
    Namespaces.create(pins, null, Map.of());

    boolean connected =
        Namespaces.callIn(
            pin(NamespaceType.NET),
            NamespaceType.NET,
            () -> {
              InetAddress loopback = InetAddress.ofLiteral("127.0.0.1");
              try (ServerSocket server = new ServerSocket(0, 1, loopback);
                  Socket client = new Socket(loopback, server.getLocalPort())) {
                return client.isConnected();
              }
            });

    assertThat(connected).isTrue();
  }

  @Test
  void sysctlsAreSetInsideAndNotOutside() throws Exception {
    String net = "net.ipv4.ip_unprivileged_port_start";
    String ipc = "kernel/msgmax";
    String netBefore = Sysctl.read(net);
    String ipcBefore = Sysctl.read(ipc);

    Namespaces.create(pins, null, Map.of(net, "77", ipc, "7777"));

    assertThat(sysctlIn(NamespaceType.NET, net)).isEqualTo("77");
    assertThat(sysctlIn(NamespaceType.IPC, ipc)).isEqualTo("7777");
    assertThat(Sysctl.read(net)).isEqualTo(netBefore);
    assertThat(Sysctl.read(ipc)).isEqualTo(ipcBefore);
  }

  @Test
  void aSysctlThatWouldChangeTheHostIsRefused() {
    for (String name :
        new String[] {"vm.swappiness", "kernel.pid_max", "net/../vm/swappiness", "..", ""}) {
      assertThatThrownBy(() -> Namespaces.create(pins, null, Map.of(name, "1")))
          .as(name)
          .isInstanceOf(IllegalArgumentException.class);
    }
    pins.remove(NamespaceType.NET);
    assertThatThrownBy(() -> Namespaces.create(pins, null, Map.of("net.ipv4.ip_forward", "1")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("net.ipv4.ip_forward");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void aFailureLeavesNothingAndSaysWhy() throws Exception {
    assertThatThrownBy(() -> Namespaces.create(pins, null, Map.of("net.no.such", "1")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("net.no.such");
    Path uts = pin(NamespaceType.UTS);
    Files.createDirectories(uts.resolve("a folder in the way"));

    assertThatThrownBy(() -> Namespaces.create(pins, null, Map.of()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(uts.toString());

    Files.delete(uts.resolve("a folder in the way"));
    Files.deleteIfExists(uts);
    assertThat(uts.getParent()).isEmptyDirectory();
  }

  @Test
  void whatAnEarlierAttemptLeftIsReplaced() throws Exception {
    Namespaces.create(pins, "first", Map.of());

    Namespaces.create(pins, "second", Map.of());

    assertThat(in(NamespaceType.UTS, Path.of("/proc/sys/kernel/hostname"))).isEqualTo("second\n");
    Namespaces.unpin(pin(NamespaceType.UTS));
    assertThat(Mounts.isMountPoint(pin(NamespaceType.UTS))).isFalse();
  }

  @Test
  void unpinIsHarmlessWhenDoneTwiceOrOnNothing() throws Exception {
    Namespaces.create(pins, null, Map.of());
    Path pin = pin(NamespaceType.NET);

    Namespaces.unpin(pin);
    Namespaces.unpin(pin);
    Namespaces.unpin(folder.resolve("never/was"));

    assertThat(pin).doesNotExist();
  }

  @Test
  void kindsThatAThreadCanNotMakeAreRefused() {
    for (NamespaceType type :
        new NamespaceType[] {NamespaceType.PID, NamespaceType.USER, NamespaceType.MOUNT}) {
      assertThatThrownBy(() -> Namespaces.create(Map.of(type, folder.resolve("x")), null, Map.of()))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void theErrorsOfWorkInANamespaceComeOutAsTheyAre() throws Exception {
    Namespaces.create(pins, null, Map.of());
    Path net = pin(NamespaceType.NET);

    assertThatThrownBy(
            () ->
                Namespaces.callIn(
                    net,
                    NamespaceType.NET,
                    () -> {
                      throw new FileNotFoundException("of the work");
                    }))
        .isInstanceOf(FileNotFoundException.class)
        .hasMessage("of the work");
    assertThatThrownBy(() -> Namespaces.callIn(net, NamespaceType.IPC, () -> 1))
        .hasMessageContaining("setns")
        .hasMessageContaining("EINVAL");
    assertThatThrownBy(() -> Namespaces.callIn(folder.resolve("no"), NamespaceType.NET, () -> 1))
        .hasMessageContaining("ENOENT");
  }

  @Test
  void anotherMountNamespaceCanBeEntered() throws Exception {
    int self = (int) ProcessHandle.current().pid();

    String root =
        Namespaces.callIn(
            Path.of("/proc/" + self + "/ns/mnt"),
            NamespaceType.MOUNT,
            () -> Files.readSymbolicLink(Path.of("/proc/thread-self/ns/mnt")).toString());

    assertThat(root).isEqualTo(Files.readSymbolicLink(Path.of("/proc/self/ns/mnt")).toString());
  }

  @Test
  void anInterruptedCallerStillSeesTheWorkToItsEnd() throws Exception {
    CountDownLatch inside = new CountDownLatch(1);
    AtomicBoolean done = new AtomicBoolean();
    AtomicBoolean stillInterrupted = new AtomicBoolean();
    Thread caller =
        Thread.startVirtualThread(
            () -> {
              try {
                Namespaces.callIn(
                    Path.of("/proc/self/ns/uts"),
                    NamespaceType.UTS,
                    () -> {
                      inside.countDown();
                      try {
                        Thread.sleep(10_000);
                      } catch (InterruptedException e) {
                        done.set(true);
                      }
                      return 1;
                    });
              } catch (IOException e) {
                throw new IllegalStateException(e);
              }
              stillInterrupted.set(Thread.currentThread().isInterrupted());
            });
    inside.await();

    caller.interrupt();
    caller.join();

    assertThat(done).isTrue();
    assertThat(stillInterrupted).isTrue();
  }

  private Path pin(NamespaceType type) {
    return Objects.requireNonNull(pins.get(type));
  }

  private String sysctlIn(NamespaceType type, String name) throws IOException {
    return Namespaces.callIn(pin(type), type, () -> Sysctl.read(name));
  }

  private String in(NamespaceType type, Path file) throws IOException {
    return Namespaces.callIn(pin(type), type, () -> Files.readString(file));
  }
}
