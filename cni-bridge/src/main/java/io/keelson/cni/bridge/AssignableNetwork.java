package io.keelson.cni.bridge;

import static java.util.stream.Collectors.joining;

import io.keelson.linux.AtomicFile;
import io.keelson.linux.KernelThreads;
import io.keelson.linux.netlink.IpPrefix;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.port.PodNetwork;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The built-in network with subnets that a cluster may assign while the daemon runs. What was
 * assigned is kept on disk and goes before what is configured, since a kubelet assigns it once and
 * not again after a restart of the daemon. Safe for use by many threads; an assignment waits for
 * pods that are being attached.
 */
public final class AssignableNetwork implements PodNetwork, AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(AssignableNetwork.class);

  private static final String FILE = "pod-cidr";

  private final NetworkSettings configured;
  private final Path directory;
  private final KernelThreads kernelThreads;
  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  // Changed under the write lock; what only tells of them takes none, since it must not wait.
  private volatile NetworkSettings current;
  private volatile BridgeNetwork network;

  /**
   * @param directory of the network's files; made if it is not there
   */
  public AssignableNetwork(NetworkSettings configured, Path directory, KernelThreads kernelThreads)
      throws IOException {
    this.configured = configured;
    this.directory = Files.createDirectories(directory);
    this.kernelThreads = kernelThreads;
    this.current = readAssigned();
    this.network = open(current);
  }

  private NetworkSettings readAssigned() throws IOException {
    Path file = directory.resolve(FILE);
    if (!Files.exists(file)) {
      return configured;
    }
    try {
      NetworkSettings assigned =
          with(Files.readAllLines(file).stream().map(IpPrefix::parse).toList());
      LOG.atInfo().log(
          "pods get addresses from what the cluster has assigned: {}", assigned.subnets());
      return assigned;
    } catch (RuntimeException e) {
      LOG.atWarn().log("the assigned pod CIDR in {} can't be used: {}", file, e.getMessage());
      return configured;
    }
  }

  private BridgeNetwork open(NetworkSettings settings) throws IOException {
    return new BridgeNetwork(settings, directory.resolve("leases"), kernelThreads);
  }

  @Override
  public void assign(List<IpPrefix> subnets) throws IOException {
    NetworkSettings assigned;
    try {
      assigned = with(subnets);
    } catch (IllegalArgumentException e) {
      throw new InvalidRequestException("no pod CIDR for this network: " + e.getMessage(), e);
    }
    lock.writeLock().lock();
    try {
      if (!assigned.equals(current)) {
        change(assigned);
      }
      AtomicFile.write(directory.resolve(FILE), text(assigned), true);
    } finally {
      lock.writeLock().unlock();
    }
  }

  private void change(NetworkSettings assigned) throws IOException {
    if (network.isInUse()) {
      throw new FailedPreconditionException(
          "pods have addresses of %s; the pod CIDR can be changed to %s when they are gone"
              .formatted(current.subnets(), assigned.subnets()));
    }
    network.close();
    network = open(assigned);
    current = assigned;
    LOG.atInfo().log("pods get addresses from {} from now on", assigned.subnets());
  }

  /** A family that is not assigned is not served: the cluster does not know it. */
  private NetworkSettings with(List<IpPrefix> subnets) {
    return new NetworkSettings(
        configured.bridge(),
        first(subnets, true),
        first(subnets, false),
        configured.mtu(),
        configured.masquerade());
  }

  private static Optional<IpPrefix> first(List<IpPrefix> subnets, boolean ipv4) {
    List<IpPrefix> ofFamily = subnets.stream().filter(s -> s.isIpv4() == ipv4).toList();
    if (ofFamily.size() > 1) {
      throw new IllegalArgumentException("more than one of a family: " + ofFamily);
    }
    return ofFamily.stream().findFirst();
  }

  private static byte[] text(NetworkSettings settings) {
    StringBuilder text = new StringBuilder();
    settings.subnets().forEach(subnet -> text.append(subnet).append('\n'));
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  private interface Work<T> {
    T run(BridgeNetwork network) throws IOException;
  }

  private <T> T shared(Work<T> work) throws IOException {
    Lock shared = lock.readLock();
    shared.lock();
    try {
      return work.run(network);
    } finally {
      shared.unlock();
    }
  }

  @Override
  public Attachment attach(Pod pod) throws IOException {
    return shared(bridge -> bridge.attach(pod));
  }

  @Override
  public void detach(Pod pod) throws IOException {
    shared(
        bridge -> {
          bridge.detach(pod);
          return Boolean.TRUE;
        });
  }

  @Override
  public Condition condition() {
    return network.condition();
  }

  @Override
  public Map<String, String> details() {
    NetworkSettings settings = current;
    return Map.of(
        "bridge", settings.bridge(),
        "subnets", settings.subnets().stream().map(IpPrefix::toString).collect(joining(", ")));
  }

  @Override
  public void recover(Collection<Pod> known) throws IOException {
    shared(
        bridge -> {
          bridge.recover(known);
          return Boolean.TRUE;
        });
  }

  @Override
  public void close() throws IOException {
    shared(
        bridge -> {
          bridge.close();
          return Boolean.TRUE;
        });
  }
}
