package io.keelson.device;

import io.keelson.device.allocation.Allocations;
import io.keelson.device.allocation.Allocator;
import io.keelson.device.builtin.BuiltInPlugins;
import io.keelson.device.cdi.CdiFolders;
import io.keelson.device.cdi.CdiInjection;
import io.keelson.device.container.CdiIsolator;
import io.keelson.device.container.ContainerAccess;
import io.keelson.device.container.DeviceIsolator;
import io.keelson.device.container.Hotplug;
import io.keelson.device.container.NodeFollower;
import io.keelson.device.container.NodeOwners;
import io.keelson.device.container.PodDevices;
import io.keelson.device.container.RunningContainers;
import io.keelson.device.container.WithdrawnDevices;
import io.keelson.device.dra.DraDrivers;
import io.keelson.device.dra.PodClaims;
import io.keelson.device.nic.Nics;
import io.keelson.device.plugin.PluginFolder;
import io.keelson.device.plugin.PluginRegistry;
import io.keelson.device.podresources.PodResourcesService;
import io.keelson.device.registration.PluginHandler;
import io.keelson.linux.netlink.KernelEvents;
import io.keelson.sandbox.FaultPoints;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.port.PodExtension;
import io.keelson.sandbox.rpc.UnixChannels;
import io.keelson.sandbox.rpc.UnixServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The devices of a node, put together. One for each daemon; safe for use by many threads. */
public final class Devices implements AutoCloseable {

  private static final Set<String> WATCHED = Set.of("usb", "tty", "block");

  private final PluginRegistry registry;
  private final PluginFolder folder;
  private final UnixServer podResources;
  private final RunningContainers containers;
  private final NodeDevices node;
  private final DraDrivers drivers;
  private final PodClaims claims;
  private final Optional<KernelEvents> kernelEvents;
  private final CdiIsolator cdiDevices;
  private final List<Isolator> isolators;
  private final List<PodExtension> podExtensions;

  private Devices(DeviceSettings settings, UnixChannels channels, FaultPoints faults)
      throws IOException {
    Changes changes = new Changes();
    registry = new PluginRegistry(settings.pluginWait());
    registry.addListener(changes);
    DeviceFigures figures = new DeviceFigures();
    registry.addListener(figures);
    Allocations allocations = Allocations.open(settings.checkpoints().resolve("allocations"));
    Allocator allocator =
        new Allocator(registry, allocations, new Observers(List.of(changes, figures)), faults);
    CdiFolders cdi = new CdiFolders(settings.cdiFolders());
    DeferredNodeListener nodes = new DeferredNodeListener();
    BuiltInPlugins builtIn =
        BuiltInPlugins.read(settings.definitions(), settings.lookInterval(), nodes);
    Nics nics =
        Nics.open(
            settings.checkpoints().resolve("nics"),
            builtIn.nics(),
            settings.lookInterval(),
            faults);
    NodeOwners owners = new NodeOwners(settings.ownersFromUser());
    WithdrawnDevices withdrawn = WithdrawnDevices.open(settings.checkpoints().resolve("withdrawn"));
    containers = new RunningContainers(allocations, owners, withdrawn);
    nodes.open(new NodeFollower(allocator, allocations, containers));
    Hotplug hotplug = new Hotplug(allocator, allocations, nics, containers, withdrawn, faults);
    drivers = new DraDrivers(channels, settings.pluginWait());
    node =
        new NodeDevices(
            registry,
            allocations,
            allocator,
            hotplug,
            cdi,
            changes,
            figures,
            builtIn,
            drivers,
            settings.cdiFolders().getLast());
    claims = PodClaims.open(settings.checkpoints().resolve("claims"), drivers, faults);
    cdiDevices = new CdiIsolator(new CdiInjection(cdi, Path.of("/sys/fs/resctrl")), nics);
    isolators =
        List.of(
            new DeviceIsolator(allocator, allocations, cdiDevices, nics, claims, owners),
            cdiDevices,
            containers,
            hotplug);
    podExtensions = List.of(new PodDevices(allocator, allocations, nics), claims);
    builtIn.start(registry);
    nics.start(registry);
    kernelEvents = builtIn.hasUsb() ? Optional.of(watch(builtIn)) : Optional.empty();
    folder = PluginFolder.open(settings.pluginFolder(), registry, channels);
    podResources =
        UnixServer.start(
            settings.podResourcesSocket(), List.of(new PodResourcesService(registry, allocations)));
  }

  /**
   * Takes plugins when it returns; what an earlier life of the daemon gave away is still held.
   *
   * @throws IOException if the folder of plugins is in another process's hands or can't be used
   */
  public static Devices open(DeviceSettings settings, UnixChannels channels, FaultPoints faults)
      throws IOException {
    return new Devices(settings, channels, faults);
  }

  /** To come after those that begin the rules of access to devices. */
  public List<Isolator> isolators() {
    return isolators;
  }

  /** Gives containers CDI devices that others name. */
  public CdiIsolator cdi() {
    return cdiDevices;
  }

  public List<PodExtension> podExtensions() {
    return podExtensions;
  }

  /** Takes device plugins that register by a socket in a watched folder. */
  public PluginHandler pluginHandler() {
    return folder;
  }

  /** Takes drivers of dynamic resource allocation that register in the same folder. */
  public PluginHandler draHandler() {
    return drivers;
  }

  private static KernelEvents watch(BuiltInPlugins builtIn) throws IOException {
    return KernelEvents.watch(
        event -> {
          // A stick's disk and an adapter's tty come after the device itself.
          if (WATCHED.contains(event.getOrDefault("SUBSYSTEM", "usb"))) {
            builtIn.usbChanged();
          }
        });
  }

  /** What a person or an orchestrator asks. */
  public NodeDevices node() {
    return node;
  }

  /** Devices can come to containers that run from now on. */
  public void openHotplug(ContainerAccess core) {
    containers.open(core);
  }

  @Override
  public void close() throws IOException {
    kernelEvents.ifPresent(KernelEvents::close);
    podResources.close();
    claims.close();
    drivers.close();
    folder.close();
    registry.close();
  }
}
