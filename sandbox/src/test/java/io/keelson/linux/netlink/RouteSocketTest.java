package io.keelson.linux.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.keelson.linux.Commands;
import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.Fd;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Against the kernel, in network namespaces of the test's own. */
class RouteSocketTest {

  private static final MacAddress MAC = MacAddress.parse("0a:58:0a:00:00:02");

  private TestNamespace here;
  private TestNamespace there;
  private RouteSocket socket;

  @BeforeEach
  void open() throws IOException {
    here = new TestNamespace();
    there = new TestNamespace();
    socket = here.socket();
  }

  @AfterEach
  void close() throws IOException {
    socket.close();
    here.close();
    there.close();
  }

  @Test
  void makesAVethPairAcrossNamespacesInOneStep() throws IOException {
    socket.execute(RouteRequest.addBridge(LinkSettings.named("br0").up()));
    int bridge = socket.link("br0").orElseThrow().index();
    try (Fd namespace = Fd.open(there.pin(), Fd.O_RDONLY, 0)) {
      socket.execute(
          RouteRequest.addVeth(
              LinkSettings.named("host0").master(bridge).mtu(1400),
              LinkSettings.named("eth0").mac(MAC).mtu(1400).namespace(namespace.number())),
          RouteRequest.withoutGeneratedAddresses("host0"),
          RouteRequest.hairpin("host0", true),
          RouteRequest.changeLink("host0", LinkSettings.none().up()));
    }

    Link host = socket.link("host0").orElseThrow();
    assertThat(host.kind()).contains("veth");
    assertThat(host.master()).isEqualTo(bridge);
    assertThat(host.mtu()).isEqualTo(1400);
    assertThat(host.up()).isTrue();
    assertThat(here.call(() -> ip("-d", "link", "show", "host0"))).contains("hairpin on");
    assertThat(here.call(() -> ip("-d", "link", "show", "host0"))).contains("addrgenmode none");
    try (RouteSocket other = there.socket()) {
      Link peer = other.link("eth0").orElseThrow();
      assertThat(peer.mac()).contains(MAC);
      assertThat(peer.up()).isFalse();
      assertThat(peer.peer()).isEqualTo(host.index());
      assertThat(host.peer()).isEqualTo(peer.index());
    }
    assertThat(socket.deleteLink("host0")).isTrue();
    assertThat(socket.deleteLink("host0")).isFalse();
    try (RouteSocket other = there.socket()) {
      assertThat(other.link("eth0")).isEmpty();
    }
  }

  @Test
  void changesNameMtuMacStateAndNamespaceOfALink() throws IOException {
    addPair("a", "b");
    int index = socket.link("a").orElseThrow().index();

    socket.execute(RouteRequest.changeLink(index, LinkSettings.named("c").mtu(900).mac(MAC).up()));
    assertThat(socket.link("a")).isEmpty();
    Link changed = socket.link(index).orElseThrow();
    assertThat(changed.name()).isEqualTo("c");
    assertThat(changed.mtu()).isEqualTo(900);
    assertThat(changed.mac()).contains(MAC);
    assertThat(changed.up()).isTrue();

    socket.execute(RouteRequest.changeLink(index, LinkSettings.none().down()));
    assertThat(socket.link("c").orElseThrow().up()).isFalse();
    try (Fd namespace = Fd.open(there.pin(), Fd.O_RDONLY, 0)) {
      socket.execute(
          RouteRequest.changeLink(
              index, LinkSettings.named("moved").namespace(namespace.number())));
    }
    assertThat(socket.link("c")).isEmpty();
    try (RouteSocket other = there.socket()) {
      assertThat(other.link("moved")).isPresent();
    }
  }

  @Test
  void anAlternateNameBecomesTheLinksOwn() throws IOException {
    addPair("a", "b");
    int index = socket.link("a").orElseThrow().index();
    here.call(() -> ip("link", "property", "add", "dev", "a", "altname", "other"));
    assertThat(socket.link("other").orElseThrow().index()).isEqualTo(index);
    socket.execute(
        RouteRequest.deleteAlternateName(index, "other"),
        RouteRequest.changeLink(index, LinkSettings.named("other")));
    assertThat(socket.link(index).orElseThrow().name()).isEqualTo("other");
  }

  @Test
  void addsListsAndDeletesAddressesOfBothFamilies() throws IOException {
    addPair("a", "b");
    int a = socket.link("a").orElseThrow().index();
    IpPrefix v4 = IpPrefix.parse("10.9.0.1/16");
    IpPrefix v6 = IpPrefix.parse("fd00:9::1/64");
    socket.execute(RouteRequest.addAddress(a, v4), RouteRequest.addAddress(a, v6));
    assertThat(socket.addresses(a)).containsExactlyInAnyOrder(v4, v6);

    socket.execute(RouteRequest.deleteAddress(a, v4));
    assertThat(socket.addresses(a)).containsExactly(v6);
  }

  @Test
  void anIpv6AddressCanBeBoundAtOnce() throws IOException {
    addPair("a", "b");
    int a = socket.link("a").orElseThrow().index();
    socket.execute(
        RouteRequest.withoutGeneratedAddresses("a"),
        RouteRequest.changeLink("b", LinkSettings.none().up()),
        RouteRequest.changeLink("a", LinkSettings.none().up()),
        RouteRequest.addAddress(a, IpPrefix.parse("fd00:9::1/64")));
    here.call(
        () -> {
          // EADDRNOTAVAIL while the kernel still asks whether another has it
          new ServerSocket(0, 1, InetAddress.ofLiteral("fd00:9::1")).close();
          return true;
        });
    assertThat(socket.addresses(a)).hasSize(1);
  }

  @Test
  void addsAndListsRoutes() throws IOException {
    addPair("a", "b");
    int a = socket.link("a").orElseThrow().index();
    Route v4 = Route.byDefault(IpPrefix.parse("10.9.0.254/32").address(), a);
    Route v6 = Route.byDefault(IpPrefix.parse("fd00:9::fe/128").address(), a);
    Route direct = new Route(IpPrefix.parse("192.0.2.0/24"), Optional.empty(), a, 7);
    socket.execute(
        RouteRequest.changeLink("b", LinkSettings.none().up()),
        RouteRequest.changeLink("a", LinkSettings.none().up()),
        RouteRequest.addAddress(a, IpPrefix.parse("10.9.0.1/16")),
        RouteRequest.addAddress(a, IpPrefix.parse("fd00:9::1/64")),
        RouteRequest.addRoute(v4),
        RouteRequest.addRoute(v6),
        RouteRequest.addRoute(direct));

    List<Route> routes = socket.routes();
    assertThat(routes).contains(v4, direct);
    assertThat(routes)
        .filteredOn(Route::isDefault)
        .extracting(Route::gateway)
        .containsExactlyInAnyOrder(v4.gateway(), v6.gateway());

    socket.execute(RouteRequest.deleteRoute(v4));
    assertThat(socket.routes()).doesNotContain(v4);
  }

  @Test
  void anErrorNamesTheRequestAndTheOthersAreStillTried() throws IOException {
    addPair("a", "b");
    int a = socket.link("a").orElseThrow().index();
    ErrnoException failure =
        catchThrowableOfType(
            ErrnoException.class,
            () ->
                socket.execute(
                    RouteRequest.changeLink("absent", LinkSettings.none().up()),
                    RouteRequest.changeLink("a", LinkSettings.none().mtu(1)),
                    RouteRequest.addAddress(a, IpPrefix.parse("10.9.0.1/16"))));
    assertThat(failure.is(Errno.ENODEV)).isTrue();
    assertThat(failure).hasMessageContaining("absent");
    assertThat(failure.getSuppressed()).hasSize(1);
    assertThat(failure.getSuppressed()[0]).hasMessageContaining("mtu less than device minimum");
    assertThat(socket.addresses(a)).hasSize(1);
  }

  @Test
  void aBatchLargerThanTheReceiveBufferIsAnsweredInFull() throws IOException {
    addPair("a", "b");
    int a = socket.link("a").orElseThrow().index();
    List<RouteRequest> requests = new ArrayList<>();
    IpPrefix network = IpPrefix.parse("10.9.0.0/16");
    for (int host = 1; host <= 1000; host++) {
      requests.add(RouteRequest.addAddress(a, new IpPrefix(network.host(host), 16)));
    }
    socket.execute(requests);
    assertThat(socket.addresses(a)).hasSize(1000); // which is also a dump of many datagrams
    assertThatThrownBy(() -> socket.execute(requests))
        .isInstanceOf(ErrnoException.class)
        .satisfies(e -> assertThat(e.getSuppressed()).hasSize(999));
  }

  @Test
  void listsTheLoopbackWithItsAddresses() throws IOException {
    assertThat(socket.links()).filteredOn(link -> link.name().equals("lo")).hasSize(1);
    int lo = socket.link("lo").orElseThrow().index();
    assertThat(socket.addresses(lo))
        .contains(IpPrefix.parse("127.0.0.1/8"), IpPrefix.parse("::1/128"));
    assertThat(socket.linkIndex("lo")).hasValue(lo);
    assertThat(socket.linkIndex("absent")).isEmpty();
    assertThat(socket.link("absent")).isEmpty();
    assertThat(socket.link(4711)).isEmpty();
  }

  private static String ip(String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("ip"));
    command.addAll(List.of(arguments));
    return Commands.run(command, Map.of(), new byte[0], Duration.ofSeconds(10), 1 << 16)
        .stdoutText();
  }

  private void addPair(String one, String two) throws IOException {
    socket.execute(RouteRequest.addVeth(LinkSettings.named(one), LinkSettings.named(two)));
  }
}
