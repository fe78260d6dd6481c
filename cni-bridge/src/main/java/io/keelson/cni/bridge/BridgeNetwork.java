package io.keelson.cni.bridge;

import io.keelson.linux.ErrnoException;
import io.keelson.linux.KernelThreads;
import io.keelson.linux.NamespaceType;
import io.keelson.linux.Namespaces;
import io.keelson.linux.netlink.IpPrefix;
import io.keelson.linux.netlink.Link;
import io.keelson.linux.netlink.RouteSocket;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.port.PodNetwork;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The built-in network: does what the reference plugins bridge, host-local and portmap do, with
 * masquerade, inside the daemon. A pod without host ports costs no process; host ports cost one run
 * of {@code nft}.
 *
 * <p>The bridge and the rules are made by {@link #start}, or when the first pod needs them, and
 * made again if somebody has taken them away. Acts in the network namespace of the calling thread
 * (and of the threads of {@link KernelThreads}), which is the host's. Bandwidth limits by
 * annotation are not served.
 *
 * <p>Safe for use by many threads; calls for one pod must not overlap.
 */
public final class BridgeNetwork implements PodNetwork, AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(BridgeNetwork.class);
  private static final Condition READY = new Condition(true, "", "");

  private final NetworkSettings settings;
  private final KernelThreads kernelThreads;
  private final AddressPool pool;
  private final HostPorts hostPorts;
  private final ReentrantLock setup = new ReentrantLock();
  private volatile @Nullable HostBridge bridge;
  private volatile Condition condition = READY;

  /**
   * @param directory for the leases of addresses; made if it is not there
   */
  public BridgeNetwork(NetworkSettings settings, Path directory, KernelThreads kernelThreads)
      throws IOException {
    this.settings = settings;
    this.kernelThreads = kernelThreads;
    this.pool = new AddressPool(directory, settings.subnets());
    this.hostPorts = new HostPorts(new NftTable(settings));
  }

  /**
   * Makes the bridge and the rules now, so that the first pod does not wait for them (some ten
   * milliseconds).
   *
   * @throws IOException with what is in the way; {@link #condition} tells it too
   */
  public void start() throws IOException {
    setUp();
  }

  @Override
  public Attachment attach(Pod pod) throws IOException {
    String id = pod.sandboxId();
    Path netns =
        pod.netns()
            .orElseThrow(
                () ->
                    new FailedPreconditionException("sandbox " + id + " has no network namespace"));
    Lease lease = pool.lease(id);
    try {
      HostBridge host = bridge();
      PodLink link = connect(host, lease, netns);
      List<InetAddress> addresses = link.addresses().stream().map(IpPrefix::address).toList();
      hostPorts.open(id, HostPort.of(pod.config(), addresses));
      return new Attachment(addresses, ResultJson.of(host, link, netns));
    } catch (IOException | RuntimeException e) {
      try {
        detach(pod);
      } catch (IOException | RuntimeException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
  }

  private PodLink connect(HostBridge host, Lease lease, Path netns) throws IOException {
    try (RouteSocket socket = RouteSocket.open()) {
      try {
        return PodLink.connect(socket, host, lease, netns);
      } catch (ErrnoException e) {
        int index = HostBridge.find(socket, settings).map(Link::index).orElse(0);
        if (index == host.index()) {
          throw e;
        }
        log.atWarn()
            .addKeyValue("bridge", host.name())
            .log("the bridge was deleted: making it anew");
      }
      socket.deleteLink(PodLink.hostName(lease.sandboxId()));
      return PodLink.connect(socket, setUp(), lease, netns);
    }
  }

  @Override
  public void detach(Pod pod) throws IOException {
    String id = pod.sandboxId();
    hostPorts.close(id);
    kernelThreads.run(() -> PodLink.remove(PodLink.hostName(id)));
    pool.release(id);
  }

  /** Whether a pod has an address of this network. */
  boolean isInUse() {
    return !pool.holders().isEmpty();
  }

  @Override
  public Condition condition() {
    return condition;
  }

  /**
   * {@inheritDoc}
   *
   * <p>Pods that another network has attached may be among the known; nothing is done for them.
   * That the bridge can't be made does not end the recovery: the condition tells it.
   */
  @Override
  public void recover(Collection<Pod> known) throws IOException {
    Map<String, Pod> pods = new HashMap<>();
    known.forEach(pod -> pods.put(pod.sandboxId(), pod));
    boolean inUse = kernelThreads.call(() -> removeStrays(pods));
    for (String holder : pool.holders()) {
      if (!pods.containsKey(holder)) {
        pool.release(holder);
      }
    }
    hostPorts.forgetAll();
    for (Pod pod : known) {
      pool.find(pod.sandboxId()).ifPresent(lease -> rememberPorts(pod, lease));
    }
    if (inUse || !pool.holders().isEmpty()) {
      try {
        setUp();
      } catch (IOException e) {
        log.atError().log("the built-in network can't be set up: {}", e.getMessage());
      }
    }
  }

  /** Deletes the links of unknown pods; returns whether the bridge is there. */
  private boolean removeStrays(Map<String, Pod> known) throws IOException {
    Map<String, Pod> byLink = new HashMap<>();
    known.values().forEach(pod -> byLink.put(PodLink.hostName(pod.sandboxId()), pod));
    try (RouteSocket socket = RouteSocket.open()) {
      Optional<Link> bridgeLink = HostBridge.find(socket, settings);
      for (Link link : socket.links()) {
        if (!PodLink.isHostEnd(link, bridgeLink.map(Link::index).orElse(0))) {
          continue;
        }
        Pod pod = byLink.get(link.name());
        if (pod == null) {
          log.atInfo().addKeyValue("link", link.name()).log("deleting the link of an unknown pod");
          PodLink.remove(link.name());
        } else if (pool.find(pod.sandboxId()).isEmpty()) {
          adopt(pod);
        }
      }
      return bridgeLink.isPresent();
    }
  }

  /** A pod's lease was lost with its file, but the pod goes on using the addresses. */
  private void adopt(Pod pod) throws IOException {
    if (pod.netns().isEmpty()) {
      return;
    }
    List<IpPrefix> addresses =
        Namespaces.callIn(
            pod.netns().get(),
            NamespaceType.NET,
            () -> {
              try (RouteSocket socket = RouteSocket.open()) {
                Optional<Link> link = socket.link(PodLink.POD_END);
                return link.isEmpty() ? List.<IpPrefix>of() : socket.addresses(link.get().index());
              }
            });
    List<IpPrefix> ours =
        addresses.stream()
            .filter(
                address ->
                    settings.subnets().stream()
                        .anyMatch(subnet -> subnet.contains(address.address())))
            .toList();
    if (!ours.isEmpty()) {
      pool.adopt(pod.sandboxId(), ours);
    }
  }

  private void rememberPorts(Pod pod, Lease lease) {
    List<InetAddress> addresses = lease.addresses().stream().map(IpPrefix::address).toList();
    try {
      hostPorts.remember(pod.sandboxId(), HostPort.of(pod.config(), addresses));
    } catch (RuntimeException e) {
      log.atWarn()
          .addKeyValue("sandbox", pod.sandboxId())
          .log("host ports not restored: {}", e.getMessage());
    }
  }

  /** The bridge, with the rules in place; that they are is asked of the kernel each time. */
  private HostBridge bridge() throws IOException {
    HostBridge present = bridge;
    return present != null && hostPorts.isInstalled() ? present : setUp();
  }

  private HostBridge setUp() throws IOException {
    setup.lock();
    try {
      HostBridge made = kernelThreads.call(this::makeWhatIsMissing);
      bridge = made;
      condition = READY;
      return made;
    } catch (IOException | RuntimeException e) {
      String message = "bridge %s: %s".formatted(settings.bridge(), e.getMessage());
      condition = new Condition(false, "BridgeSetupFailed", message);
      throw e;
    } finally {
      setup.unlock();
    }
  }

  private HostBridge makeWhatIsMissing() throws IOException {
    HostBridge made = bridge;
    try (RouteSocket socket = RouteSocket.open()) {
      int index = HostBridge.find(socket, settings).map(Link::index).orElse(0);
      if (made != null && made.index() == index && hostPorts.isInstalled()) {
        return made; // by another pod that came a moment earlier
      }
      made = HostBridge.ensure(socket, settings);
    }
    hostPorts.install();
    // Only now that a rule keeps pods from reaching the services of the host's loopback.
    KernelSettings.require("net/ipv4/conf/" + settings.bridge() + "/route_localnet", "1");
    log.atInfo()
        .addKeyValue("bridge", settings.bridge())
        .log("the built-in network is up: {}, mtu {}", made.gateways(), made.mtu());
    warnOfObstacles();
    return made;
  }

  private void warnOfObstacles() {
    try {
      for (String obstacle : hostPorts.obstacles()) {
        log.atWarn().addKeyValue("bridge", settings.bridge()).log(obstacle);
      }
    } catch (IOException e) {
      // nothing depends on it: an nft without JSON can't list chains so, for one
      log.atDebug().log("the rules of others can't be looked at: {}", e.getMessage());
    }
  }

  /** Lets go of files; the network stays as it is. */
  @Override
  public void close() throws IOException {
    pool.close();
  }
}
