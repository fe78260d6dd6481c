package io.keelson.device.nic;

import io.keelson.linux.netlink.IpPrefix;
import io.keelson.linux.netlink.IpText;
import io.keelson.linux.netlink.Link;
import io.keelson.linux.netlink.NextHop;
import io.keelson.linux.netlink.Route;
import io.keelson.linux.netlink.RouteRequest;
import io.keelson.linux.netlink.RouteSocket;
import io.keelson.proto.record.v1.LentNextHop;
import io.keelson.proto.record.v1.LentRoute;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/** The routes over a link of the host as they are recorded. */
final class LentRoutes {

  private LentRoutes() {}

  /**
   * All that go over a link, also beside others, but for those that the kernel makes again.
   *
   * @param link index of the link
   */
  static List<LentRoute> record(RouteSocket host, int link) throws IOException {
    Map<Integer, String> names =
        host.links().stream().collect(Collectors.toMap(Link::index, Link::name));
    return host.routes().stream()
        .filter(route -> !route.learnt())
        .filter(route -> route.hops().stream().anyMatch(hop -> hop.link() == link))
        // A gateway may be reached by another of these routes.
        .sorted(Comparator.comparing(route -> route.hops().getFirst().gateway().isPresent()))
        .map(route -> record(route, link, names))
        .toList();
  }

  private static LentRoute record(Route route, int link, Map<Integer, String> names) {
    LentRoute.Builder record =
        LentRoute.newBuilder()
            .setDestination(route.destination().toString())
            .setMetric(route.metric())
            .setProtocol(route.protocol())
            .setSource(route.source().map(IpText::of).orElse(""));
    for (NextHop hop : route.hops()) {
      record.addHops(
          LentNextHop.newBuilder()
              .setGateway(hop.gateway().map(IpText::of).orElse(""))
              .setInterface(hop.link() == link ? "" : names.getOrDefault(hop.link(), ""))
              .setWeight(hop.weight())
              .setOnLink(hop.onLink()));
    }
    return record.build();
  }

  /**
   * Gives it back. Of an IPv6 route the kernel has kept the next hops over other links; an IPv4
   * route went with the first link that it lost.
   *
   * @param link index of the link that is home again
   * @throws IOException if another link of the route has gone
   */
  static RouteRequest restored(RouteSocket host, LentRoute record, int link) throws IOException {
    IpPrefix destination = IpPrefix.parse(record.getDestination());
    boolean several = record.getHopsCount() > 1;
    List<NextHop> hops = new ArrayList<>();
    for (LentNextHop hop : record.getHopsList()) {
      boolean own = hop.getInterface().isEmpty();
      if (own || destination.isIpv4()) {
        hops.add(
            new NextHop(
                LentAddresses.literal(hop.getGateway()),
                own ? link : index(host, hop.getInterface()),
                hop.getWeight(),
                hop.getOnLink()));
      }
    }
    if (hops.isEmpty()) {
      throw new IOException("nothing is recorded of where it goes");
    }
    Route route =
        new Route(
            destination,
            hops,
            LentAddresses.literal(record.getSource()),
            record.getMetric(),
            record.getProtocol());
    return several && !destination.isIpv4()
        ? RouteRequest.appendRoute(route)
        : RouteRequest.addRoute(route);
  }

  private static int index(RouteSocket host, String name) throws IOException {
    OptionalInt index = host.linkIndex(name);
    return index.orElseThrow(
        () -> new IOException("it also goes over " + name + ", which is away"));
  }
}
