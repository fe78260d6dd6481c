package io.keelson.cni.bridge;

import io.keelson.linux.netlink.IpPrefix;
import io.keelson.sandbox.error.ResourceExhaustedException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Gives addresses to pods. A pod has the same host number in every subnet, so that one number is
 * all that is kept account of. Numbers go round: one that was given back is used again only after
 * all others, also over a restart. Host 0 is the network, host 1 the gateway, the last one IPv4's
 * broadcast.
 *
 * <p>A lease is on disk before anybody can use it and off the disk before it can be given to
 * another, so that the death of the daemon at any moment neither loses an address nor gives it
 * twice. Safe for use by many threads; calls for one pod must not overlap.
 */
final class AddressPool implements AutoCloseable {

  private static final int FIRST = 2;

  /** More pods than any node runs; keeps the account of an IPv6 network small. */
  private static final int MOST_HOST_BITS = 20;

  private final List<IpPrefix> subnets;
  private final int end;
  private final LeaseFiles files;
  private final Map<String, Lease> leases = new HashMap<>();
  private final BitSet taken = new BitSet();
  private int last;

  /**
   * Takes up the leases that are on disk; those outside of the subnets stay with their pods until
   * they are given back.
   *
   * @param directory for the leases; made if it is not there
   * @param subnets IPv4 first
   */
  AddressPool(Path directory, List<IpPrefix> subnets) throws IOException {
    this.subnets = List.copyOf(subnets);
    int bits = subnets.stream().mapToInt(IpPrefix::hostBits).min().orElseThrow();
    this.end = (1 << Math.min(bits, MOST_HOST_BITS)) - 1;
    this.files = new LeaseFiles(directory);
    files.read().forEach(this::enter);
    this.last = (int) (files.readLast() % end);
  }

  /**
   * Gives a pod its addresses; again the same ones if it has some.
   *
   * @throws ResourceExhaustedException if all are taken
   */
  Lease lease(String sandboxId) throws IOException {
    Lease lease;
    synchronized (this) {
      Lease held = leases.get(sandboxId);
      if (held != null) {
        return held;
      }
      lease = new Lease(sandboxId, addresses(nextFree()));
      enter(lease);
    }
    try {
      files.write(lease);
    } catch (IOException | RuntimeException e) {
      leave(sandboxId);
      throw e;
    }
    return lease;
  }

  /** Gives back what the pod holds; harmless if that is nothing. */
  void release(String sandboxId) throws IOException {
    files.delete(sandboxId);
    leave(sandboxId);
  }

  /** Takes note of addresses that a pod has in fact, though its lease was lost. */
  Lease adopt(String sandboxId, List<IpPrefix> addresses) throws IOException {
    Lease lease = new Lease(sandboxId, addresses);
    files.write(lease);
    synchronized (this) {
      enter(lease);
    }
    return lease;
  }

  synchronized Optional<Lease> find(String sandboxId) {
    return Optional.ofNullable(leases.get(sandboxId));
  }

  /** The ids of the pods that hold addresses. */
  synchronized Set<String> holders() {
    return Set.copyOf(leases.keySet());
  }

  @Override
  public void close() throws IOException {
    files.close();
  }

  private int nextFree() throws IOException {
    int number = taken.nextClearBit(Math.max(FIRST, last + 1));
    if (number >= end) {
      number = taken.nextClearBit(FIRST);
    }
    if (number >= end) {
      throw new ResourceExhaustedException(
          "all %d addresses of %s are taken".formatted(end - FIRST, subnets.getFirst()));
    }
    files.writeLast(number);
    last = number;
    return number;
  }

  private List<IpPrefix> addresses(int number) {
    return subnets.stream()
        .map(subnet -> new IpPrefix(subnet.host(number), subnet.length()))
        .toList();
  }

  private void enter(Lease lease) {
    leases.put(lease.sandboxId(), lease);
    mark(lease, true);
  }

  private synchronized void leave(String sandboxId) {
    Lease lease = leases.remove(sandboxId);
    if (lease != null) {
      mark(lease, false);
    }
  }

  private void mark(Lease lease, boolean value) {
    for (IpPrefix address : lease.addresses()) {
      for (IpPrefix subnet : subnets) {
        if (subnet.contains(address.address())) {
          long number = subnet.hostNumber(address.address());
          if (number < end) {
            taken.set((int) number, value);
          }
        }
      }
    }
  }
}
