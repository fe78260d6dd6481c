package io.keelson.cni.bridge;

import io.keelson.cni.bridge.HostPort.PodPort;
import io.keelson.sandbox.error.FailedPreconditionException;
import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which pod has which ports of the host, in memory and, from {@link #install} on, in the kernel.
 * Safe for use by many threads; one change runs at a time.
 */
final class HostPorts {

  private static final Logger log = LoggerFactory.getLogger(HostPorts.class);

  private final NftTable table;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<String, Map<HostPort, PodPort>> byPod = new HashMap<>();

  HostPorts(NftTable table) {
    this.table = table;
  }

  /** Writes the whole table: the rules of the network, and the ports of all pods. */
  void install() throws IOException {
    lock.lock();
    try {
      Map<HostPort, PodPort> all = new LinkedHashMap<>();
      byPod.values().forEach(all::putAll);
      table.replace(all);
    } finally {
      lock.unlock();
    }
  }

  /** What the rules of others are known to keep from the pods, in sentences. */
  List<String> obstacles() throws IOException {
    return table.obstacles();
  }

  /** Whether another program has taken the table away, as a reload of all rules does. */
  boolean isInstalled() throws IOException {
    return table.exists();
  }

  /** Takes note of ports that a pod has had before the daemon started; the kernel is left alone. */
  void remember(String sandboxId, Map<HostPort, PodPort> ports) {
    lock.lock();
    try {
      if (!ports.isEmpty()) {
        byPod.put(sandboxId, ports);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Forgets all ports; the kernel is left alone. */
  void forgetAll() {
    lock.lock();
    try {
      byPod.clear();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Opens ports for a pod: all or none.
   *
   * @throws FailedPreconditionException if another pod has one of them
   */
  void open(String sandboxId, Map<HostPort, PodPort> ports) throws IOException {
    if (ports.isEmpty()) {
      return;
    }
    lock.lock();
    try {
      close(sandboxId);
      for (Map.Entry<String, Map<HostPort, PodPort>> other : byPod.entrySet()) {
        for (HostPort port : ports.keySet()) {
          if (other.getValue().containsKey(port)) {
            throw new FailedPreconditionException(
                "host port %s belongs to sandbox %s".formatted(port, other.getKey()));
          }
        }
      }
      table.add(ports);
      byPod.put(sandboxId, ports);
      StaleFlows.beforeOpened(ports.keySet());
    } finally {
      lock.unlock();
    }
  }

  /** Takes a pod's ports away; harmless if it has none. */
  void close(String sandboxId) throws IOException {
    lock.lock();
    try {
      Map<HostPort, PodPort> ports = byPod.get(sandboxId);
      if (ports == null) {
        return;
      }
      try {
        table.delete(ports.keySet());
        byPod.remove(sandboxId);
      } catch (IOException e) {
        // Somebody else has changed the table. Written anew it is right again, without these ports.
        log.atWarn()
            .addKeyValue("sandbox", sandboxId)
            .log("writing the host ports of all pods anew: {}", e.getMessage());
        byPod.remove(sandboxId);
        try {
          install();
        } catch (IOException second) {
          byPod.put(sandboxId, ports);
          throw second;
        }
      }
      StaleFlows.afterClosed(ports);
    } finally {
      lock.unlock();
    }
  }
}
