package io.keelson.cni.bridge;

import io.keelson.cni.bridge.HostPort.PodPort;
import io.keelson.linux.netlink.RouteSocket;
import io.keelson.linux.netlink.UdpFlows;
import java.io.IOException;
import java.net.InetAddress;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * UDP senders that went on while a host port came or went: without this they would never reach the
 * new pod, or go on to a pod that is gone. That it fails costs such a sender a pause, so it is
 * logged and no more.
 */
final class StaleFlows {

  private static final Logger log = LoggerFactory.getLogger(StaleFlows.class);

  private StaleFlows() {}

  /** Forgets flows to the host's own addresses at these ports. */
  static void beforeOpened(Collection<HostPort> ports) {
    Set<Integer> numbers =
        ports.stream().filter(HostPort::isUdp).map(HostPort::port).collect(Collectors.toSet());
    if (numbers.isEmpty()) {
      return;
    }
    try (RouteSocket socket = RouteSocket.open()) {
      Set<InetAddress> host =
          socket.addresses().stream()
              .map(address -> address.address().address())
              .collect(Collectors.toSet());
      forget(
          flow ->
              numbers.contains(flow.port())
                  && (flow.destination().isLoopbackAddress() || host.contains(flow.destination())));
    } catch (IOException e) {
      log.atWarn().log("UDP senders to new host ports may not reach them: {}", e.getMessage());
    }
  }

  /** Forgets flows to the pod that had these ports. */
  static void afterClosed(Map<HostPort, PodPort> ports) {
    if (ports.keySet().stream().noneMatch(HostPort::isUdp)) {
      return;
    }
    Set<InetAddress> pod =
        ports.values().stream().map(PodPort::address).collect(Collectors.toSet());
    try {
      forget(flow -> pod.contains(flow.receiver()));
    } catch (IOException e) {
      log.atWarn().log("UDP senders to closed host ports go on to them: {}", e.getMessage());
    }
  }

  private static void forget(Predicate<UdpFlows.Flow> which) throws IOException {
    int forgotten = UdpFlows.forget(which);
    log.atDebug().log("{} UDP flows forgotten", forgotten);
  }
}
