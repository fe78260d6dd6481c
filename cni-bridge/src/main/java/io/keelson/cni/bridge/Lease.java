package io.keelson.cni.bridge;

import io.keelson.linux.netlink.IpPrefix;
import java.util.List;

/**
 * The addresses that a pod holds from attach to detach.
 *
 * @param addresses with the length of their subnet's prefix, IPv4 first; never empty
 */
record Lease(String sandboxId, List<IpPrefix> addresses) {

  Lease {
    addresses = List.copyOf(addresses);
    if (addresses.isEmpty()) {
      throw new IllegalArgumentException("a lease without an address: " + sandboxId);
    }
  }
}
