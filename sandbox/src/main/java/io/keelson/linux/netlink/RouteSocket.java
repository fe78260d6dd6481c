package io.keelson.linux.netlink;

import static io.keelson.linux.netlink.NetlinkConstants.NLM_F_DUMP;
import static io.keelson.linux.netlink.NetlinkConstants.NLM_F_REQUEST;

import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Reads and changes links, addresses and routes of one network namespace (rtnetlink(7)).
 *
 * <p>The namespace is that of the thread that opens the socket; calls from any thread act there
 * then. Not for use by several threads at once. Calls wait for the kernel's lock of the network
 * configuration, which others may hold for milliseconds: a virtual thread holds its carrier
 * meanwhile, so long batches belong on {@link io.keelson.linux.KernelThreads}. No call waits for
 * ever: a missing answer ends in an IOException.
 */
public final class RouteSocket implements AutoCloseable {

  private static final int LIST = NLM_F_REQUEST | NLM_F_DUMP;

  private final NetlinkSocket socket;

  private RouteSocket(NetlinkSocket socket) {
    this.socket = socket;
  }

  /** Opens a socket in the network namespace of the calling thread. */
  public static RouteSocket open() throws ErrnoException {
    return new RouteSocket(NetlinkSocket.open(NetlinkConstants.NETLINK_ROUTE));
  }

  /**
   * Makes the changes in order, by one system call for up to 64 of them. The kernel does not stop
   * at one that fails: the later ones are tried too.
   *
   * @throws ErrnoException of the first change that failed, with its name and the kernel's words;
   *     those of others are suppressed in it
   */
  public void execute(List<RouteRequest> requests) throws IOException {
    socket.execute(requests.stream().map(RouteRequest::request).toList());
  }

  /** As {@link #execute(List)}. */
  public void execute(RouteRequest... requests) throws IOException {
    execute(List.of(requests));
  }

  /** Deletes a link of that name and says whether there was one. */
  public boolean deleteLink(String name) throws IOException {
    try {
      execute(RouteRequest.deleteLink(name));
      return true;
    } catch (ErrnoException e) {
      if (e.is(Errno.ENODEV)) {
        return false;
      }
      throw e;
    }
  }

  public List<Link> links() throws IOException {
    MessageWriter message = new MessageWriter(NetlinkConstants.RTM_GETLINK, LIST);
    LinkSettings.none().writeTo(message, 0);
    List<Link> links = new ArrayList<>();
    for (Datagram.Message answer : socket.dump(new Request("list links", message))) {
      if (answer.type() == NetlinkConstants.RTM_NEWLINK) {
        links.add(Link.decode(answer));
      }
    }
    return links;
  }

  public Optional<Link> link(String name) throws IOException {
    MessageWriter message = new MessageWriter(NetlinkConstants.RTM_GETLINK, NLM_F_REQUEST);
    LinkSettings.named(name).writeTo(message, 0);
    return link(new Request("get link " + name, message));
  }

  public Optional<Link> link(int index) throws IOException {
    MessageWriter message = new MessageWriter(NetlinkConstants.RTM_GETLINK, NLM_F_REQUEST);
    LinkSettings.none().writeTo(message, index);
    return link(new Request("get link " + index, message));
  }

  /** The index alone, which costs a fraction of {@link #link(String)}. */
  public OptionalInt linkIndex(String name) throws IOException {
    try {
      return OptionalInt.of(socket.linkIndex(LinkSettings.checkName(name)));
    } catch (ErrnoException e) {
      if (e.is(Errno.ENODEV)) {
        return OptionalInt.empty();
      }
      throw e;
    }
  }

  private Optional<Link> link(Request request) throws IOException {
    try {
      return Optional.of(Link.decode(socket.get(request)));
    } catch (ErrnoException e) {
      if (e.is(Errno.ENODEV)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** The IPv4 and IPv6 addresses of all links. */
  public List<LinkAddress> addresses() throws IOException {
    MessageWriter message = new MessageWriter(NetlinkConstants.RTM_GETADDR, LIST);
    message.u8(NetlinkConstants.AF_UNSPEC).u8(0).u8(0).u8(0).u32(0);
    List<LinkAddress> addresses = new ArrayList<>();
    for (Datagram.Message answer : socket.dump(new Request("list addresses", message))) {
      if (answer.type() == NetlinkConstants.RTM_NEWADDR) {
        LinkAddress.decode(answer).ifPresent(addresses::add);
      }
    }
    return addresses;
  }

  /** The IPv4 and IPv6 addresses of one link. */
  public List<IpPrefix> addresses(int link) throws IOException {
    return addresses().stream()
        .filter(address -> address.link() == link)
        .map(LinkAddress::address)
        .toList();
  }

  /** The unicast routes of the main table, IPv4 and IPv6. */
  public List<Route> routes() throws IOException {
    List<Route> routes = new ArrayList<>(routes(NetlinkConstants.AF_INET));
    routes.addAll(routes(NetlinkConstants.AF_INET6));
    return routes;
  }

  private List<Route> routes(int family) throws IOException {
    MessageWriter message = new MessageWriter(NetlinkConstants.RTM_GETROUTE, LIST);
    message.u8(family).u8(0).u8(0).u8(0).u8(0).u8(0).u8(0).u8(0).u32(0);
    List<Route> routes = new ArrayList<>();
    for (Datagram.Message answer : socket.dump(new Request("list routes", message))) {
      if (answer.type() == NetlinkConstants.RTM_NEWROUTE) {
        Route.decode(answer).ifPresent(routes::add);
      }
    }
    return routes;
  }

  @Override
  public void close() {
    socket.close();
  }
}
