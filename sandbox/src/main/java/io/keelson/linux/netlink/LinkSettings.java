package io.keelson.linux.netlink;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What to set on a link that is made or changed; what is not named stays as it is. Immutable: every
 * method gives a copy.
 */
public final class LinkSettings {

  /** IFNAMSIZ without the NUL. */
  private static final int NAME_LENGTH = 15;

  private static final LinkSettings NONE = new LinkSettings(Map.of(), 0, 0);

  private enum Attribute {
    NAME(NetlinkConstants.IFLA_IFNAME),
    MAC(NetlinkConstants.IFLA_ADDRESS),
    MTU(NetlinkConstants.IFLA_MTU),
    MASTER(NetlinkConstants.IFLA_MASTER),
    NAMESPACE_FD(NetlinkConstants.IFLA_NET_NS_FD),
    ALIAS(NetlinkConstants.IFLA_IFALIAS),
    SEND_QUEUES(NetlinkConstants.IFLA_NUM_TX_QUEUES),
    RECEIVE_QUEUES(NetlinkConstants.IFLA_NUM_RX_QUEUES);

    private final int type;

    Attribute(int type) {
      this.type = type;
    }
  }

  private final Map<Attribute, Object> attributes;
  private final int flags;
  private final int changedFlags;

  private LinkSettings(Map<Attribute, Object> attributes, int flags, int changedFlags) {
    this.attributes = attributes;
    this.flags = flags;
    this.changedFlags = changedFlags;
  }

  public static LinkSettings none() {
    return NONE;
  }

  /** For a new link its name, for one that exists its new name. */
  public static LinkSettings named(String name) {
    return NONE.name(name);
  }

  /**
   * @throws IllegalArgumentException if the kernel could not have a link of that name
   */
  public LinkSettings name(String name) {
    return with(Attribute.NAME, checkName(name));
  }

  public LinkSettings mac(MacAddress mac) {
    return with(Attribute.MAC, mac);
  }

  /**
   * @param mtu in bytes
   */
  public LinkSettings mtu(int mtu) {
    return with(Attribute.MTU, mtu);
  }

  /**
   * @param index of the bridge (or bond, or VRF) that the link joins; 0 takes it out
   */
  public LinkSettings master(int index) {
    return with(Attribute.MASTER, index);
  }

  public LinkSettings up() {
    return withFlags(NetlinkConstants.IFF_UP, NetlinkConstants.IFF_UP);
  }

  public LinkSettings down() {
    return withFlags(0, NetlinkConstants.IFF_UP);
  }

  /**
   * All flags at once.
   *
   * @param wanted of {@link Link#FLAGS}
   */
  public LinkSettings flags(int wanted) {
    return withFlags(wanted & Link.FLAGS, Link.FLAGS);
  }

  private LinkSettings withFlags(int wanted, int changed) {
    return new LinkSettings(attributes, (flags & ~changed) | wanted, changedFlags | changed);
  }

  /**
   * @param fd an open network namespace, in which a new link is made or into which an existing one
   *     moves
   */
  public LinkSettings namespace(int fd) {
    return with(Attribute.NAMESPACE_FD, fd);
  }

  /** Free text that the kernel keeps with a link, up to 255 bytes; for links that exist. */
  public LinkSettings alias(String text) {
    return with(Attribute.ALIAS, text);
  }

  /**
   * One queue each way, for new links. The kernel gives a veth one for each processor, and making
   * them takes most of the time on a machine with many.
   */
  public LinkSettings singleQueue() {
    return with(Attribute.SEND_QUEUES, 1).with(Attribute.RECEIVE_QUEUES, 1);
  }

  private LinkSettings with(Attribute attribute, Object value) {
    Map<Attribute, Object> changed = new LinkedHashMap<>(attributes);
    changed.put(attribute, value);
    return new LinkSettings(changed, flags, changedFlags);
  }

  /** Writes the fixed part and the attributes of a link message. */
  void writeTo(MessageWriter message, int index) {
    message.u8(NetlinkConstants.AF_UNSPEC).u8(0).u16(0).u32(index).u32(flags).u32(changedFlags);
    for (Map.Entry<Attribute, Object> entry : attributes.entrySet()) {
      int type = entry.getKey().type;
      switch (entry.getValue()) {
        case String text -> message.attribute(type, text);
        case MacAddress mac -> message.attribute(type, mac.octets());
        case Integer number -> message.attribute32(type, number);
        default -> throw new IllegalStateException("attribute " + entry);
      }
    }
  }

  static String checkName(String name) {
    boolean clean = name.chars().allMatch(c -> c > ' ' && c < 0x7f && c != '/' && c != ':');
    if (name.isEmpty() || name.length() > NAME_LENGTH || !clean || name.matches("\\.\\.?")) {
      throw new IllegalArgumentException(
          "not a link name (1 to 15 visible characters without / and :): " + name);
    }
    return name;
  }

  /** The settings as an error message shows them. */
  @Override
  public String toString() {
    String text = attributes.toString();
    boolean changesUp = (changedFlags & NetlinkConstants.IFF_UP) != 0;
    boolean up = (flags & NetlinkConstants.IFF_UP) != 0;
    return (!changesUp ? "" : up ? "up " : "down ") + text.substring(1, text.length() - 1);
  }
}
