package io.keelson.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.linux.NamespaceType;
import io.keelson.linux.Namespaces;
import io.keelson.proto.record.v1.LentInterface;
import io.keelson.proto.record.v1.LentRoute;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is recorded of an interface, and what it gets back, in a network namespace for a host. */
class LinkMovesTest {

  private static final String TOKEN = "keelson:test";

  @TempDir Path folder;

  private final LinkMoves moves = new LinkMoves();
  private Path host;

  @BeforeEach
  void makeInterface() throws Exception {
    host = folder.resolve("net");
    Namespaces.create(Map.of(NamespaceType.NET, host), null, Map.of());
    ip("link add nic type veth peer far");
    ip("link set nic addrgenmode none"); // its own address would come at any time
    ip("link set far up");
    ip("link set nic mtu 1400 alias uplink promisc on arp off up");
    await(() -> ip("link show nic").contains("state UP"));
    ip("addr add 192.0.2.2/24 dev nic");
    ip("addr add fd00:1::2/64 dev nic nodad");
    ip("addr add fe80::77/64 dev nic nodad");
    ip("route add 198.18.0.0/24 via 192.0.2.1 dev nic metric 7 proto boot");
    ip("route add 203.0.113.0/24 dev nic proto 42");
    ip("route add fd00:2::/64 via fe80::1 dev nic");
  }

  @AfterEach
  void deleteHost() throws IOException {
    Namespaces.unpin(host);
  }

  @Test
  void whatTheKernelWillGiveItAgainIsNotRecorded() throws Exception {
    ip("addr add fd00:9::2/64 dev nic mngtmpaddr nodad"); // as by router advertisement
    ip("route add default via fe80::1 dev nic proto ra");

    LentInterface entry = record();
    assertThat(entry.getAddressesList())
        .containsExactlyInAnyOrder("192.0.2.2/24", "fd00:1::2/64", "fe80::77/64");
    assertThat(entry.getRoutesList())
        .extracting(LentRoute::getDestination)
        .containsExactlyInAnyOrder("198.18.0.0/24", "203.0.113.0/24", "fd00:2::/64");
  }

  @Test
  void allThatIsRecordedComesBack() throws Exception {
    String before = look();
    LentInterface entry = record();
    ip("link set nic down");
    ip("addr flush dev nic");
    ip(
        "link set nic mtu 1300 promisc off arp on multicast off address 02:00:00:00:00:09 alias "
            + TOKEN);
    ip("link set nic name other");

    assertThat(takeHome(entry)).isTrue();
    assertSoon(before);
  }

  /** A daemon of the host may have been quicker, and a kill may have come right before the end. */
  @Test
  void whatIsThereAlreadyIsLeftAsItIs() throws Exception {
    String before = look();
    LentInterface entry = record();
    ip("link set nic alias " + TOKEN);
    assertThat(takeHome(entry)).isTrue();
    ip("link set nic alias " + TOKEN);
    assertThat(takeHome(entry)).isTrue();
    assertSoon(before);
  }

  /** The kernel tells a moment later that a link has become able to carry packets. */
  private void assertSoon(String before) throws Exception {
    await(() -> look().equals(before));
    assertThat(look()).isEqualTo(before);
  }

  private static void await(Callable<Boolean> condition) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (!condition.call() && System.nanoTime() < end) {
      TimeUnit.MILLISECONDS.sleep(10);
    }
  }

  private LentInterface record() throws IOException {
    LentInterface.Builder entry =
        LentInterface.newBuilder()
            .setToken(TOKEN)
            .setPodName("fast0")
            .setNetns(folder.resolve("gone").toString());
    return Namespaces.callIn(
        host,
        NamespaceType.NET,
        () -> {
          moves.record("nic", entry);
          return entry.build();
        });
  }

  private boolean takeHome(LentInterface entry) throws IOException {
    return Namespaces.callIn(host, NamespaceType.NET, () -> moves.takeHome(entry));
  }

  /**
   * Without what changes by itself: lifetimes, and the link-local address while it is asked for.
   */
  private String look() throws Exception {
    return String.join(
            "\n",
            ip("-d link show nic"),
            ip("-br addr show nic"),
            ip("route show dev nic"),
            ip("-6 route show dev nic"))
        .replaceAll("(?m)^\\d+: |tentative|linkdown", "");
  }

  private String ip(String words) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("nsenter", "--net=" + host, "ip"));
    command.addAll(List.of(words.split(" ", -1)));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(command + ": " + output).isZero();
    return output;
  }
}
