package io.keelson.device.nic;

import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.Fd;
import io.keelson.linux.NamespaceType;
import io.keelson.linux.Namespaces;
import io.keelson.linux.netlink.IpPrefix;
import io.keelson.linux.netlink.Link;
import io.keelson.linux.netlink.LinkSettings;
import io.keelson.linux.netlink.MacAddress;
import io.keelson.linux.netlink.RouteRequest;
import io.keelson.linux.netlink.RouteSocket;
import io.keelson.proto.record.v1.LentAddress;
import io.keelson.proto.record.v1.LentInterface;
import io.keelson.proto.record.v1.LentRoute;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Moves links between the host and pods, over netlink. Safe for use by many threads. */
final class LinkMoves {

  private static final Logger log = LoggerFactory.getLogger(LinkMoves.class);
  private static final Path HOST = Path.of("/proc/self/ns/net");

  /** For one that comes home while another has taken its name. */
  private static final String SPARE_NAME = "klhome%d";

  private static final int NAMES = 1000;

  /** Everything of a link of the host that must come back with it. */
  void record(String name, LentInterface.Builder entry) throws IOException {
    try (RouteSocket host = RouteSocket.open()) {
      Link link =
          host.link(name).orElseThrow(() -> new IOException("the host has no interface " + name));
      entry
          .setHostName(name)
          .setMtu(link.mtu())
          .setFlags(link.flags())
          .setAlias(link.alias().orElse(""))
          .setMac(link.mac().map(MacAddress::toString).orElse(""))
          .setBusPath(busPath(name));
      Instant now = Instant.now();
      host.addresses().stream()
          .filter(address -> address.link() == link.index() && !address.learnt())
          .forEach(address -> entry.addAddresses(LentAddresses.record(address, name, now)));
      entry.addAllRoutes(LentRoutes.record(host, link.index()));
    }
  }

  private static String busPath(String name) {
    try {
      return Path.of("/sys/class/net", name, "device").toRealPath().toString();
    } catch (IOException e) {
      return ""; // no hardware
    }
  }

  /** A name that is free in a pod, of a pattern with {@code %d} or as it stands. */
  String freeName(Path netns, String pattern) throws IOException {
    Set<String> taken =
        in(netns, socket -> socket.links().stream().map(Link::name).collect(Collectors.toSet()));
    for (int number = 0; number < NAMES; number++) {
      String name = pattern.replace("%d", String.valueOf(number));
      if (!taken.contains(name)) {
        return name;
      }
      if (!pattern.contains("%d")) {
        break;
      }
    }
    throw new IOException("the pod has an interface %s already".formatted(pattern));
  }

  /** Takes a link of the host into the pod's namespace. */
  void move(LentInterface entry) throws IOException {
    try (RouteSocket host = RouteSocket.open();
        Fd netns = namespace(Path.of(entry.getNetns()))) {
      host.execute(
          RouteRequest.changeLink(
              entry.getHostName(), LinkSettings.none().alias(entry.getToken())));
      int index = host.linkIndex(entry.getHostName()).orElseThrow();
      host.execute(
          RouteRequest.changeLink(
              index, LinkSettings.named(entry.getPodName()).namespace(netns.number()).down()));
    }
  }

  /** Makes a child of a link of the host right in the pod's namespace. */
  void makeChild(LentInterface entry, NicDefinition.Kind kind) throws IOException {
    try (RouteSocket host = RouteSocket.open();
        Fd netns = namespace(Path.of(entry.getNetns()))) {
      int parent =
          host.linkIndex(entry.getHostName())
              .orElseThrow(
                  () -> new IOException("the host has no interface " + entry.getHostName()));
      LinkSettings settings = LinkSettings.named(entry.getPodName()).namespace(netns.number());
      host.execute(
          kind == NicDefinition.Kind.IPVLAN
              ? RouteRequest.addIpvlan(parent, settings)
              : RouteRequest.addMacvlan(parent, settings));
    }
  }

  /** Sets up in the pod what is to be there. */
  void configure(LentInterface entry, int mtu, List<IpPrefix> addresses) throws IOException {
    in(
        Path.of(entry.getNetns()),
        socket -> {
          int index = socket.linkIndex(entry.getPodName()).orElseThrow();
          List<RouteRequest> requests = new ArrayList<>();
          LinkSettings settings = LinkSettings.none().alias(entry.getToken()).up();
          requests.add(RouteRequest.changeLink(index, mtu == 0 ? settings : settings.mtu(mtu)));
          addresses.forEach(address -> requests.add(RouteRequest.addAddress(index, address)));
          socket.execute(requests);
          return true;
        });
  }

  /** Whether the link is in the pod's namespace. */
  boolean isInPod(LentInterface entry) throws IOException {
    Path netns = Path.of(entry.getNetns());
    return Namespaces.isNamespace(netns) && in(netns, socket -> find(socket, entry)).isPresent();
  }

  /**
   * Takes the link home from the pod, or from where the kernel or a crash left it.
   *
   * @return whether it was found
   */
  boolean takeHome(LentInterface entry) throws IOException {
    Path netns = Path.of(entry.getNetns());
    if (Namespaces.isNamespace(netns)) {
      in(netns, socket -> leave(socket, entry));
    }
    if (entry.getChild()) {
      return true;
    }
    try (RouteSocket host = RouteSocket.open()) {
      Optional<Link> link = find(host, entry);
      if (link.isEmpty()) {
        return false;
      }
      restore(host, link.get(), entry);
      return true;
    }
  }

  private static boolean leave(RouteSocket socket, LentInterface entry) throws IOException {
    Optional<Link> link = find(socket, entry);
    if (link.isEmpty()) {
      return false;
    }
    int index = link.get().index();
    if (entry.getChild()) {
      socket.execute(RouteRequest.deleteLink(index));
      return true;
    }
    try (Fd host = namespace(HOST)) {
      // Under a name that nobody has there: its own may be taken by now.
      String spare =
          SPARE_NAME.replace("%d", String.valueOf(Math.floorMod(System.nanoTime(), 100_000)));
      socket.execute(
          RouteRequest.changeLink(
              index, LinkSettings.named(spare).namespace(host.number()).down()));
    }
    return true;
  }

  private static Optional<Link> find(RouteSocket socket, LentInterface entry) throws IOException {
    List<Link> links = socket.links();
    return links.stream()
        .filter(link -> link.alias().equals(Optional.of(entry.getToken())))
        .findFirst()
        .or(
            () ->
                links.stream()
                    .filter(
                        link ->
                            !entry.getBusPath().isEmpty()
                                && busPath(link.name()).equals(entry.getBusPath()))
                    .findFirst());
  }

  private static void restore(RouteSocket host, Link link, LentInterface entry) throws IOException {
    int index = link.index();
    List<RouteRequest> first = new ArrayList<>();
    first.add(RouteRequest.changeLink(index, LinkSettings.none().down()));
    if (!link.name().equals(entry.getHostName())) {
      Optional<Link> named = host.link(entry.getHostName());
      boolean own = named.isPresent() && named.get().index() == index;
      if (own) { // udev met it under the pod's name, and gave it its usual one beside that
        first.add(RouteRequest.deleteAlternateName(index, entry.getHostName()));
      }
      if (own || named.isEmpty()) {
        first.add(RouteRequest.changeLink(index, LinkSettings.named(entry.getHostName())));
      } else {
        log.atWarn()
            .addKeyValue("interface", entry.getHostName())
            .log("another interface has its name by now: it stays {}", link.name());
      }
    }
    LinkSettings settings = LinkSettings.none().mtu(entry.getMtu()).alias(entry.getAlias());
    if (!entry.getMac().isEmpty()) {
      settings = settings.mac(MacAddress.parse(entry.getMac()));
    }
    first.add(RouteRequest.changeLink(index, settings));
    LinkSettings none = LinkSettings.none();
    LinkSettings flags = entry.hasFlags() ? none.flags(entry.getFlags()) : none.up();
    first.add(RouteRequest.changeLink(index, flags));
    host.execute(first);
    Instant now = Instant.now();
    for (LentAddress address : entry.getAddressesList()) {
      Optional<RouteRequest> request = LentAddresses.restored(address, index, now);
      if (request.isPresent()) {
        unlessThere(host, request.get());
      }
    }
    for (LentRoute route : entry.getRoutesList()) {
      restore(host, index, route, entry.getHostName());
    }
  }

  /** The kernel or a daemon of the host may have been quicker. */
  private static void unlessThere(RouteSocket host, RouteRequest request) throws IOException {
    try {
      host.execute(request);
    } catch (ErrnoException e) {
      if (!e.is(Errno.EEXIST)) {
        throw e;
      }
    }
  }

  private static void restore(RouteSocket host, int index, LentRoute route, String name)
      throws IOException {
    try {
      unlessThere(host, LentRoutes.restored(host, route, index));
    } catch (IOException e) {
      // A route over a link that is down, or that somebody made meanwhile: the interface is home.
      log.atWarn()
          .addKeyValue("interface", name)
          .log("a route does not come back: {}", e.getMessage());
    }
  }

  private interface Work<T> {
    T run(RouteSocket socket) throws IOException;
  }

  private static <T> T in(Path netns, Work<T> work) throws IOException {
    return Namespaces.callIn(
        netns,
        NamespaceType.NET,
        () -> {
          try (RouteSocket socket = RouteSocket.open()) {
            return work.run(socket);
          }
        });
  }

  private static Fd namespace(Path path) throws IOException {
    return Fd.open(path, Fd.O_RDONLY, 0);
  }
}
