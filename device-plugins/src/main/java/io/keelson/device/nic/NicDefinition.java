package io.keelson.device.nic;

import io.keelson.linux.netlink.IpPrefix;
import java.nio.file.Path;
import java.util.List;

/**
 * Interfaces that an administrator offers under one resource.
 *
 * @param parents names on the host: the interfaces themselves, or those that children share
 * @param shares of each parent: how many of its children there may be; an interface itself is in
 *     one pod at a time
 * @param functions virtual functions to be made of each parent, 0 for those that are there
 * @param podName the name in the pod; {@code %d} is the first number that is free there
 * @param mtu in the pod, bytes; 0 for that of the host
 * @param addresses in the pod
 * @param root of the host's {@code /sys} and {@code /dev}
 */
public record NicDefinition(
    String resource,
    Kind kind,
    List<String> parents,
    int shares,
    int functions,
    String podName,
    int mtu,
    List<IpPrefix> addresses,
    Path root) {

  public NicDefinition {
    parents = List.copyOf(parents);
    addresses = List.copyOf(addresses);
  }

  /** What goes into the pod. */
  public enum Kind {
    /** The interface itself. */
    PHYSICAL,
    /** A child with a MAC address of its own. */
    MACVLAN,
    /** A child with its parent's MAC address. */
    IPVLAN,
    /** A virtual function of the interface (SR-IOV). */
    SRIOV
  }

  boolean hasChildren() {
    return kind == Kind.MACVLAN || kind == Kind.IPVLAN;
  }
}
