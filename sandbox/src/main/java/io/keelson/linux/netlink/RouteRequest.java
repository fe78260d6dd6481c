package io.keelson.linux.netlink;

import static io.keelson.linux.netlink.NetlinkConstants.AF_INET;
import static io.keelson.linux.netlink.NetlinkConstants.AF_INET6;
import static io.keelson.linux.netlink.NetlinkConstants.IFLA_AF_SPEC;
import static io.keelson.linux.netlink.NetlinkConstants.IFLA_INFO_DATA;
import static io.keelson.linux.netlink.NetlinkConstants.IFLA_INFO_KIND;
import static io.keelson.linux.netlink.NetlinkConstants.IFLA_LINKINFO;
import static io.keelson.linux.netlink.NetlinkConstants.NLM_F_ACK;
import static io.keelson.linux.netlink.NetlinkConstants.NLM_F_CREATE;
import static io.keelson.linux.netlink.NetlinkConstants.NLM_F_EXCL;
import static io.keelson.linux.netlink.NetlinkConstants.NLM_F_REQUEST;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * One change to links, addresses or routes, for {@link RouteSocket#execute}. Immutable. A link is
 * told by its index, or where a method takes a name, by that; the latter serves for a link that is
 * made in the same batch.
 */
public final class RouteRequest {

  /** An u32: children of one parent reach each other directly. */
  private static final byte[] MACVLAN_MODE_BRIDGE =
      ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(4).array();

  /** An u16. */
  private static final byte[] IPVLAN_MODE_L2 = {0, 0};

  private static final int CHANGE = NLM_F_REQUEST | NLM_F_ACK;
  private static final int CREATE = CHANGE | NLM_F_CREATE | NLM_F_EXCL;
  private static final int ADDRESS_GENERATION_NONE = 1;

  private final Request request;

  private RouteRequest(String description, MessageWriter message) {
    this.request = new Request(description, message);
  }

  Request request() {
    return request;
  }

  /**
   * Makes a link.
   *
   * @param kind as in {@code ip link add type KIND}, for kinds that need no settings of their own
   */
  public static RouteRequest addLink(String kind, LinkSettings settings) {
    MessageWriter message = new MessageWriter(NetlinkConstants.RTM_NEWLINK, CREATE);
    settings.writeTo(message, 0);
    message.nested(IFLA_LINKINFO, () -> message.attribute(IFLA_INFO_KIND, kind));
    return new RouteRequest("add " + kind + " (" + settings + ")", message);
  }

  /**
   * Makes a link that shares the hardware of another one, with a MAC address of its own.
   *
   * @param parent index of the other one
   */
  public static RouteRequest addMacvlan(int parent, LinkSettings settings) {
    return addChild("macvlan", parent, settings, MACVLAN_MODE_BRIDGE);
  }

  /**
   * Makes a link that shares the hardware and the MAC address of another one.
   *
   * @param parent index of the other one
   */
  public static RouteRequest addIpvlan(int parent, LinkSettings settings) {
    return addChild("ipvlan", parent, settings, IPVLAN_MODE_L2);
  }

  private static RouteRequest addChild(
      String kind, int parent, LinkSettings settings, byte[] mode) {
    MessageWriter message = new MessageWriter(NetlinkConstants.RTM_NEWLINK, CREATE);
    settings.writeTo(message, 0);
    message.attribute32(NetlinkConstants.IFLA_LINK, parent);
    message.nested(
        IFLA_LINKINFO,
        () ->
            message
                .attribute(IFLA_INFO_KIND, kind)
                .nested(
                    IFLA_INFO_DATA, () -> message.attribute(NetlinkConstants.CHILD_MODE, mode)));
    return new RouteRequest("add " + kind + " of link " + parent + " (" + settings + ")", message);
  }

  public static RouteRequest addBridge(LinkSettings settings) {
    return addLink("bridge", settings);
  }

  /**
   * Makes both ends of a veth pair in one step, each in the namespace of its settings.
   *
   * @param own settings of the end in this socket's namespace, unless they name another
   * @param peer settings of the other end, which may be made up and running in another namespace
   */
  public static RouteRequest addVeth(LinkSettings own, LinkSettings peer) {
    MessageWriter message = new MessageWriter(NetlinkConstants.RTM_NEWLINK, CREATE);
    own.writeTo(message, 0);
    message.nested(
        IFLA_LINKINFO,
        () ->
            message
                .attribute(IFLA_INFO_KIND, "veth")
                .nested(
                    IFLA_INFO_DATA,
                    () ->
                        message.nested(
                            NetlinkConstants.VETH_INFO_PEER, () -> peer.writeTo(message, 0))));
    return new RouteRequest("add veth (" + own + ") with peer (" + peer + ")", message);
  }

  public static RouteRequest changeLink(int index, LinkSettings settings) {
    MessageWriter message = new MessageWriter(NetlinkConstants.RTM_NEWLINK, CHANGE);
    settings.writeTo(message, index);
    return new RouteRequest("change link " + index + " (" + settings + ")", message);
  }

  /** As {@link #changeLink(int, LinkSettings)}; only a change of the name needs the index. */
  public static RouteRequest changeLink(String name, LinkSettings settings) {
    MessageWriter message = new MessageWriter(NetlinkConstants.RTM_NEWLINK, CHANGE);
    settings.name(name).writeTo(message, 0);
    return new RouteRequest("change link (" + settings.name(name) + ")", message);
  }

  /** Takes from a link a name that it has beside its own; only then can it be its own. */
  public static RouteRequest deleteAlternateName(int index, String name) {
    MessageWriter message = new MessageWriter(NetlinkConstants.RTM_DELLINKPROP, CHANGE);
    LinkSettings.none().writeTo(message, index);
    message.nested(
        NetlinkConstants.IFLA_PROP_LIST,
        () -> message.attribute(NetlinkConstants.IFLA_ALT_IFNAME, name));
    return new RouteRequest("delete alternate name " + name + " of link " + index, message);
  }

  /** Keeps the kernel from giving the link an IPv6 link-local address of its own choice. */
  public static RouteRequest withoutGeneratedAddresses(String name) {
    MessageWriter message = new MessageWriter(NetlinkConstants.RTM_NEWLINK, CHANGE);
    LinkSettings.named(name).writeTo(message, 0);
    message.nested(
        IFLA_AF_SPEC,
        () ->
            message.nested(
                AF_INET6,
                () ->
                    message.attribute8(
                        NetlinkConstants.IFLA_INET6_ADDR_GEN_MODE, ADDRESS_GENERATION_NONE)));
    return new RouteRequest("set address generation of link " + name + " to none", message);
  }

  /**
   * Sets whether the bridge may send a frame out of the port by which it came in.
   *
   * @param name of a link that has a bridge for its master
   */
  public static RouteRequest hairpin(String name, boolean on) {
    MessageWriter message = new MessageWriter(NetlinkConstants.RTM_NEWLINK, CHANGE);
    LinkSettings.named(name).writeTo(message, 0);
    message.nested(
        IFLA_LINKINFO,
        () ->
            message
                .attribute(NetlinkConstants.IFLA_INFO_SLAVE_KIND, "bridge")
                .nested(
                    NetlinkConstants.IFLA_INFO_SLAVE_DATA,
                    () -> message.attribute8(NetlinkConstants.IFLA_BRPORT_MODE, on ? 1 : 0)));
    return new RouteRequest("set hairpin of bridge port " + name + " to " + on, message);
  }

  /** Deletes a link, and with one end of a veth pair the other. */
  public static RouteRequest deleteLink(int index) {
    MessageWriter message = new MessageWriter(NetlinkConstants.RTM_DELLINK, CHANGE);
    LinkSettings.none().writeTo(message, index);
    return new RouteRequest("delete link " + index, message);
  }

  /** As {@link #deleteLink(int)}. */
  public static RouteRequest deleteLink(String name) {
    MessageWriter message = new MessageWriter(NetlinkConstants.RTM_DELLINK, CHANGE);
    LinkSettings.named(name).writeTo(message, 0);
    return new RouteRequest("delete link " + name, message);
  }

  /**
   * Adds an address, which brings the route to its prefix with it. An IPv6 address can be used at
   * once: it is not asked for duplicates (RFC 4862, 5.1).
   */
  public static RouteRequest addAddress(int link, IpPrefix address) {
    return addAddress(link, address, AddressSettings.usual(address.address()));
  }

  /** As {@link #addAddress(int, IpPrefix)}. */
  public static RouteRequest addAddress(int link, IpPrefix address, AddressSettings settings) {
    MessageWriter message = new MessageWriter(NetlinkConstants.RTM_NEWADDR, CREATE);
    writeAddress(message, link, address, settings);
    return new RouteRequest("add address " + address + " to link " + link, message);
  }

  public static RouteRequest deleteAddress(int link, IpPrefix address) {
    MessageWriter message = new MessageWriter(NetlinkConstants.RTM_DELADDR, CHANGE);
    writeAddress(message, link, address, AddressSettings.usual(address.address()));
    return new RouteRequest("delete address " + address + " of link " + link, message);
  }

  private static void writeAddress(
      MessageWriter message, int link, IpPrefix address, AddressSettings settings) {
    message.u8(family(address)).u8(address.length()).u8(0).u8(settings.scope()).u32(link);
    settings.writeTo(message, address.address());
  }

  /** Adds a route to the main table. */
  public static RouteRequest addRoute(Route route) {
    return route("add", NetlinkConstants.RTM_NEWROUTE, CREATE, route);
  }

  /** Gives an IPv6 route of the main table more next hops; adds it if it is not there. */
  public static RouteRequest appendRoute(Route route) {
    int append = CHANGE | NLM_F_CREATE | NetlinkConstants.NLM_F_APPEND;
    return route("append", NetlinkConstants.RTM_NEWROUTE, append, route);
  }

  /** Deletes the route of the main table that has this destination, gateway and link. */
  public static RouteRequest deleteRoute(Route route) {
    return route("delete", NetlinkConstants.RTM_DELROUTE, CHANGE, route);
  }

  private static RouteRequest route(String verb, int type, int flags, Route route) {
    MessageWriter message = new MessageWriter(type, flags);
    route.writeTo(message, family(route.destination()));
    return new RouteRequest(verb + " " + route, message);
  }

  private static int family(IpPrefix prefix) {
    return prefix.isIpv4() ? AF_INET : AF_INET6;
  }

  /** What is asked for, as in an error message. */
  @Override
  public String toString() {
    return request.description();
  }
}
