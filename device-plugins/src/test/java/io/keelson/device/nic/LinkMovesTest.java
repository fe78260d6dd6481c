package io.keelson.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.linux.NamespaceType;
import io.keelson.linux.Namespaces;
import io.keelson.proto.record.v1.LentAddress;
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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
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
        .extracting(LentAddress::getAddress)
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

  @Test
  void whatThereIsToAddressesComesBack() throws Exception {
    ip("addr add 192.0.2.9/24 broadcast 192.0.2.255 label nic:old dev nic metric 50");
    ip("addr add 10.1.1.1 peer 10.1.1.2/32 dev nic scope link");
    ip("addr add fd00:7::1/64 dev nic nodad noprefixroute");
    ip("addr add fd00:8::1/64 dev nic nodad home valid_lft 5000 preferred_lft 3000");
    ip("addr add 192.0.2.10/24 dev nic valid_lft 4000 preferred_lft 0");
    ip("addr add 192.0.2.11/24 dev nic valid_lft 1 preferred_lft 1");
    String before = ip("-d addr show nic");

    LentInterface entry = record();
    TimeUnit.MILLISECONDS.sleep(2100);
    lendAndTakeHome(entry);

    assertThat(addresses(ip("-d addr show nic")))
        .as("the one whose time has run out is gone")
        .isEqualTo(addresses(before.replaceAll("inet 192.0.2.11.*", "")));
    assertThat(lifetime(ip("addr show nic"), "fd00:8::1/64", "valid_lft")).isBetween(4800, 4998);
    assertThat(lifetime(ip("addr show nic"), "fd00:8::1/64", "preferred_lft"))
        .isBetween(2800, 2998);
    assertThat(lifetime(ip("addr show nic"), "192.0.2.10/24", "valid_lft")).isBetween(3800, 3998);
  }

  private static List<String> addresses(String shown) {
    return shown
        .replaceAll("tentative ", "")
        .lines()
        .map(String::strip)
        .filter(line -> line.startsWith("inet"))
        // The kernel gives a link that has moved one of its own.
        .filter(line -> !line.startsWith("inet6 fe80:") || line.contains("fe80::77"))
        .sorted()
        .toList();
  }

  private static int lifetime(String shown, String address, String which) {
    Matcher found =
        Pattern.compile(Pattern.quote(address) + "[^\n]*\n[^\n]*" + which + " ([0-9]+)sec")
            .matcher(shown);
    assertThat(found.find()).as(shown).isTrue();
    return Integer.parseInt(found.group(1));
  }

  @Test
  void whatThereIsToRoutesComesBack() throws Exception {
    ip("link add other type veth peer beyond");
    ip("link set other addrgenmode none");
    ip("link set beyond up");
    ip("link set other up");
    ip("addr add 172.16.0.2/24 dev other");
    ip("addr add fd00:5::2/64 dev other nodad");
    ip("addr add 192.0.2.3/24 dev nic");
    ip("route add 198.18.1.0/24 via 192.0.2.1 dev nic src 192.0.2.3");
    ip("route add 198.18.2.0/24 via 10.255.255.1 dev nic onlink");
    ip("route add 198.18.3.0/24 via inet6 fe80::9 dev nic");
    ip(
        "route add 198.18.4.0/24 nexthop via 192.0.2.1 dev nic weight 3"
            + " nexthop via 172.16.0.1 dev other");
    ip("route add default via 203.0.113.1 dev nic"); // by a route of this link
    ip("-6 route add fd00:22::/64 via fd00:1::9 dev nic src fd00:1::2");
    ip("-6 route add fd00:23::/64 via 2001:db8::1 dev nic onlink metric 9");
    ip(
        "-6 route add fd00:24::/64 nexthop via fd00:1::9 dev nic weight 2"
            + " nexthop via fd00:5::9 dev other");
    await(() -> !ip("route").contains("linkdown") && !ip("-6 route").contains("linkdown"));
    List<String> before = routes();

    lendAndTakeHome(record());

    await(() -> routes().equals(before));
    assertThat(routes()).isEqualTo(before);
  }

  private List<String> routes() throws Exception {
    // What goes by several links stands in several lines, in the order in which they came.
    return Stream.concat(
            ip("route show").replace("\n\t", "\t").lines(),
            ip("-6 route show").replace("\n\t", "\t").lines())
        .map(line -> Stream.of(line.split("\t")).sorted().collect(Collectors.joining(" ")))
        .map(line -> line.replaceAll("linkdown ?", "").replaceAll(" +", " ").strip())
        .sorted()
        .toList();
  }

  /** Into another namespace and back, as to a pod. */
  private void lendAndTakeHome(LentInterface entry) throws Exception {
    Path pod = folder.resolve("pod");
    Namespaces.create(Map.of(NamespaceType.NET, pod), null, Map.of());
    try {
      LentInterface lent = entry.toBuilder().setNetns(pod.toString()).build();
      Namespaces.callIn(
          host,
          NamespaceType.NET,
          () -> {
            moves.move(lent);
            moves.configure(lent, 0, List.of());
            return true;
          });
      assertThat(ip("route show")).doesNotContain("dev nic");
      // The process is in another namespace than the host's of this test.
      ip(pod, "link set fast0 netns " + host);
      assertThat(takeHome(entry)).isTrue();
    } finally {
      Namespaces.unpin(pod);
    }
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
    return ip(host, words);
  }

  private static String ip(Path netns, String words) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("nsenter", "--net=" + netns, "ip"));
    command.addAll(List.of(words.split(" ", -1)));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(command + ": " + output).isZero();
    return output;
  }
}
