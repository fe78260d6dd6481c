package io.keelson.linux.netlink;

import org.jspecify.annotations.Nullable;

/**
 * What to set on a link that is made or changed; what is not named stays as it is. Immutable: every
 * method gives a copy.
 */
public final class LinkSettings {

  private static final LinkSettings NONE =
      new LinkSettings(null, null, null, null, null, null, null);

  /** IFNAMSIZ without the NUL. */
  private static final int NAME_LENGTH = 15;

  private final @Nullable String name;
  private final @Nullable MacAddress mac;
  private final @Nullable Integer mtu;
  private final @Nullable Integer master;
  private final @Nullable Boolean up;
  private final @Nullable Integer namespaceFd;
  private final @Nullable String alias;

  private LinkSettings(
      @Nullable String name,
      @Nullable MacAddress mac,
      @Nullable Integer mtu,
      @Nullable Integer master,
      @Nullable Boolean up,
      @Nullable Integer namespaceFd,
      @Nullable String alias) {
    this.name = name;
    this.mac = mac;
    this.mtu = mtu;
    this.master = master;
    this.up = up;
    this.namespaceFd = namespaceFd;
    this.alias = alias;
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
  public LinkSettings name(String newName) {
    return new LinkSettings(checkName(newName), mac, mtu, master, up, namespaceFd, alias);
  }

  public LinkSettings mac(MacAddress newMac) {
    return new LinkSettings(name, newMac, mtu, master, up, namespaceFd, alias);
  }

  /**
   * @param newMtu in bytes
   */
  public LinkSettings mtu(int newMtu) {
    return new LinkSettings(name, mac, newMtu, master, up, namespaceFd, alias);
  }

  /**
   * @param index of the bridge (or bond, or VRF) that the link joins; 0 takes it out
   */
  public LinkSettings master(int index) {
    return new LinkSettings(name, mac, mtu, index, up, namespaceFd, alias);
  }

  public LinkSettings up() {
    return new LinkSettings(name, mac, mtu, master, true, namespaceFd, alias);
  }

  public LinkSettings down() {
    return new LinkSettings(name, mac, mtu, master, false, namespaceFd, alias);
  }

  /**
   * @param fd an open network namespace, in which a new link is made or into which an existing one
   *     moves
   */
  public LinkSettings namespace(int fd) {
    return new LinkSettings(name, mac, mtu, master, up, fd, alias);
  }

  /**
   * Free text that the kernel keeps with the link, up to 255 bytes. A new link can't have it at
   * once.
   */
  public LinkSettings alias(String text) {
    return new LinkSettings(name, mac, mtu, master, up, namespaceFd, text);
  }

  /** Writes the fixed part and the attributes of a link message. */
  void writeTo(MessageWriter message, int index) {
    int flag = Boolean.TRUE.equals(up) ? NetlinkConstants.IFF_UP : 0;
    int change = up == null ? 0 : NetlinkConstants.IFF_UP;
    message.u8(NetlinkConstants.AF_UNSPEC).u8(0).u16(0).u32(index).u32(flag).u32(change);
    if (name != null) {
      message.attribute(NetlinkConstants.IFLA_IFNAME, name);
    }
    if (mac != null) {
      message.attribute(NetlinkConstants.IFLA_ADDRESS, mac.octets());
    }
    number(message, NetlinkConstants.IFLA_MTU, mtu);
    number(message, NetlinkConstants.IFLA_MASTER, master);
    number(message, NetlinkConstants.IFLA_NET_NS_FD, namespaceFd);
    if (alias != null) {
      message.attribute(NetlinkConstants.IFLA_IFALIAS, alias);
    }
  }

  private static void number(MessageWriter message, int type, @Nullable Integer value) {
    if (value != null) {
      message.attribute32(type, value);
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
    StringBuilder text = new StringBuilder();
    describe(text, "name", name);
    describe(text, "mac", mac);
    describe(text, "mtu", mtu);
    describe(text, "master", master);
    describe(text, "up", up);
    describe(text, "namespace fd", namespaceFd);
    describe(text, "alias", alias);
    return text.toString();
  }

  private static void describe(StringBuilder text, String what, @Nullable Object value) {
    if (value != null) {
      text.append(text.isEmpty() ? "" : ", ").append(what).append(' ').append(value);
    }
  }
}
