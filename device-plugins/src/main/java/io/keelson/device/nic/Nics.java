package io.keelson.device.nic;

import io.keelson.device.plugin.PluginRegistry;
import io.keelson.device.record.KeyedRecords;
import io.keelson.linux.BootId;
import io.keelson.linux.NamespaceType;
import io.keelson.proto.record.v1.DeviceAllocation;
import io.keelson.proto.record.v1.LentInterface;
import io.keelson.sandbox.FaultPoints;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.port.PodContext;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lends the host's interfaces to pods and takes them home: at the end of the pod before its network
 * namespace goes, and after a crash from wherever they are. Safe for use by many threads; calls for
 * one pod never overlap.
 */
public final class Nics {

  private static final Logger log = LoggerFactory.getLogger(Nics.class);

  /** Of interfaces that no plugin offers. */
  private static final String CDI_RESOURCE = "cdi.keelson.io/interface";

  private static final Path HOST = Path.of("/");

  private final KeyedRecords<LentInterface> journal;
  private final FaultPoints faults;
  private final LinkMoves moves = new LinkMoves();
  private final Map<String, NicPlugin> plugins = new HashMap<>();

  private Nics(KeyedRecords<LentInterface> journal, FaultPoints faults) {
    this.journal = journal;
    this.faults = faults;
  }

  /**
   * Reads what an earlier life of the daemon lent.
   *
   * @param folder of the journal
   * @param interval between two looks at the host
   */
  public static Nics open(
      Path folder, List<NicDefinition> definitions, Duration interval, FaultPoints faults)
      throws IOException {
    Nics nics = new Nics(KeyedRecords.open(folder, LentInterface.parser(), Nics::key), faults);
    for (NicDefinition definition : definitions) {
      String resource = definition.resource();
      nics.plugins.put(
          resource,
          new NicPlugin(definition, interval, id -> nics.journal.find(key(resource, id))));
    }
    return nics;
  }

  private static String key(LentInterface entry) {
    return key(entry.getResource(), entry.getDeviceId());
  }

  private static String key(String resource, String deviceId) {
    return resource + '\0' + deviceId;
  }

  /** Offers the interfaces. */
  public void start(PluginRegistry registry) throws IOException {
    for (Map.Entry<String, NicPlugin> plugin : plugins.entrySet()) {
      registry.add(plugin.getKey(), plugin.getValue());
    }
  }

  /**
   * Puts the interfaces among these devices into the pod.
   *
   * @param containerId the container that asked for them; empty if the pod did
   */
  public void lend(PodContext pod, String containerId, Collection<DeviceAllocation> devices)
      throws IOException {
    for (DeviceAllocation allocation : devices) {
      NicPlugin plugin = plugins.get(allocation.getResource());
      if (plugin != null) {
        for (String id : allocation.getDeviceIdsList()) {
          lend(pod, containerId, plugin, id);
        }
      }
    }
  }

  private void lend(PodContext pod, String containerId, NicPlugin plugin, String id)
      throws IOException {
    NicDefinition definition = plugin.definition();
    Path netns = pod.namespaces().get(NamespaceType.NET);
    if (netns == null) {
      throw new FailedPreconditionException(
          "pod sandbox %s is in the host's network: %s %s can't be lent to it"
              .formatted(pod.id(), definition.resource(), id));
    }
    Optional<LentInterface> before = journal.find(key(definition.resource(), id));
    if (before.isPresent() && before.get().getSandboxId().equals(pod.id())) {
      // Another attempt of the same container: it is there already.
      var _ = journal.put(before.get().toBuilder().setContainerId(containerId).build());
      return;
    }
    if (before.isPresent()) {
      takeHome(before.get());
    }
    try {
      LentInterface.Builder entry =
          LentInterface.newBuilder()
              .setResource(definition.resource())
              .setDeviceId(id)
              .setSandboxId(pod.id())
              .setContainerId(containerId)
              .setNetns(netns.toString())
              .setPodName(moves.freeName(netns, definition.podName()))
              .setToken("keelson:" + UUID.randomUUID())
              .setBootId(BootId.current())
              .setChild(definition.hasChildren());
      moves.record(plugin.hostInterface(id), entry);
      LentInterface lent = entry.build();
      var _ = journal.put(lent);
      faults.reached("Nics:recorded");
      if (definition.hasChildren()) {
        moves.makeChild(lent, definition.kind());
      } else {
        moves.move(lent);
      }
      faults.reached("Nics:moved");
      moves.configure(lent, definition.mtu(), definition.addresses());
      faults.reached("Nics:configured");
      log.atInfo()
          .addKeyValue("pod", pod.id())
          .addKeyValue("interface", lent.getHostName())
          .log("interface is lent as {}", lent.getPodName());
    } catch (IOException e) {
      throw new OperationFailedException(
          "%s %s can't be lent to pod sandbox %s: %s"
              .formatted(definition.resource(), id, pod.id(), e.getMessage()),
          e);
    }
  }

  /**
   * Puts an interface of the host into the pod, as a CDI spec asks.
   *
   * @param name in the pod
   * @throws FailedPreconditionException if another pod has it by the same way
   */
  public void lendHostInterface(
      PodContext pod, String containerId, String hostInterface, String name) throws IOException {
    // No allocator stands before this door: what is lent here is in use.
    Optional<LentInterface> lent = journal.find(key(CDI_RESOURCE, hostInterface));
    if (lent.isPresent() && !lent.get().getSandboxId().equals(pod.id())) {
      throw new FailedPreconditionException(
          "interface %s is lent to pod sandbox %s"
              .formatted(hostInterface, lent.get().getSandboxId()));
    }
    NicDefinition definition =
        new NicDefinition(
            CDI_RESOURCE,
            NicDefinition.Kind.PHYSICAL,
            List.of(hostInterface),
            1,
            0,
            name,
            0,
            List.of(),
            HOST);
    try (NicPlugin plugin = new NicPlugin(definition, Duration.ZERO, _ -> Optional.empty())) {
      lend(pod, containerId, plugin, hostInterface);
    }
  }

  /** The pod ends: all that was lent to it comes home. Harmless when done twice. */
  public void takeHomeFromPod(String sandboxId) throws IOException {
    takeHome(entry -> entry.getSandboxId().equals(sandboxId));
  }

  /** A container is removed: what it had asked for comes home. Harmless when done twice. */
  public void takeHomeFromContainer(String containerId) throws IOException {
    takeHome(entry -> entry.getContainerId().equals(containerId));
  }

  /** Some devices are taken back: interfaces among them come home. */
  public void takeHomeDevices(String resource, Collection<String> ids) throws IOException {
    takeHome(entry -> entry.getResource().equals(resource) && ids.contains(entry.getDeviceId()));
  }

  private void takeHome(Predicate<LentInterface> wanted) throws IOException {
    for (LentInterface entry : journal.all()) {
      if (wanted.test(entry)) {
        takeHome(entry);
      }
    }
  }

  private void takeHome(LentInterface entry) throws IOException {
    // A reboot has put everything home by itself, as the host's own configuration wants it.
    if (entry.getBootId().equals(BootId.current())) {
      boolean found = moves.takeHome(entry);
      faults.reached("Nics:home");
      if (found) {
        log.atInfo()
            .addKeyValue("pod", entry.getSandboxId())
            .addKeyValue("interface", entry.getHostName())
            .log("interface is home again");
      } else {
        log.atWarn()
            .addKeyValue("pod", entry.getSandboxId())
            .addKeyValue("interface", entry.getHostName())
            .log("a lent interface is nowhere: it went with its pod's namespace");
      }
    }
    journal.remove(entry);
  }

  /** The daemon has started again: what no pod has any more comes home. */
  public void recover(Collection<PodContext> known) {
    Set<String> pods = known.stream().map(PodContext::id).collect(Collectors.toSet());
    for (LentInterface entry : journal.all()) {
      try {
        if (!pods.contains(entry.getSandboxId()) || !moves.isInPod(entry)) {
          takeHome(entry);
        }
      } catch (IOException | KeelsonException e) {
        log.atError()
            .setCause(e)
            .addKeyValue("interface", entry.getHostName())
            .log("a lent interface can't be taken home; the end of its pod tries again");
      }
    }
  }
}
