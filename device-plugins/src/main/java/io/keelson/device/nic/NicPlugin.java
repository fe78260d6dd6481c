package io.keelson.device.nic;

import io.keelson.device.plugin.Device;
import io.keelson.device.plugin.DevicePlugin;
import io.keelson.device.plugin.SharedIds;
import io.keelson.proto.deviceplugin.v1beta1.ContainerAllocateResponse;
import io.keelson.proto.deviceplugin.v1beta1.DeviceSpec;
import io.keelson.proto.record.v1.LentInterface;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Offers the interfaces of one definition. The interface itself is moved by {@link Nics}; what
 * Allocate answers are the character devices that come with it (InfiniBand).
 */
final class NicPlugin implements DevicePlugin {

  private static final Logger log = LoggerFactory.getLogger(NicPlugin.class);
  private static final String INFINIBAND = "/dev/infiniband";

  private final NicDefinition definition;
  private final Duration interval;
  private final Path interfaces;
  private final Function<String, Optional<LentInterface>> lent;
  private final Thread thread;
  private @Nullable Listener listener;
  private List<Device> told = List.of();

  /**
   * @param interval between two looks at the host
   * @param lent what is recorded of a device that is lent: the host does not see its interface
   *     then, and it is well
   */
  NicPlugin(
      NicDefinition definition, Duration interval, Function<String, Optional<LentInterface>> lent) {
    this.definition = definition;
    this.interval = interval;
    this.interfaces = definition.root().resolve("sys/class/net");
    this.lent = lent;
    this.thread = Thread.ofVirtual().name("nics-" + definition.resource()).unstarted(this::follow);
  }

  @Override
  public void watch(Listener listening) {
    listener = listening;
    if (definition.kind() == NicDefinition.Kind.SRIOV && definition.functions() > 0) {
      definition.parents().forEach(this::makeFunctions);
    }
    told = look();
    listening.devices(told);
    thread.start();
  }

  private void makeFunctions(String parent) {
    Path number = interfaces.resolve(parent).resolve("device/sriov_numvfs");
    try {
      if (Files.readString(number).strip().equals("0")) {
        Files.writeString(number, String.valueOf(definition.functions()));
      }
    } catch (IOException e) {
      log.atWarn()
          .addKeyValue("interface", parent)
          .log("no virtual functions can be made: {}", e.getMessage());
    }
  }

  private void follow() {
    try {
      while (true) {
        TimeUnit.NANOSECONDS.sleep(interval.toNanos());
        List<Device> now = look();
        if (!now.equals(told) && listener != null) {
          told = now;
          listener.devices(now);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // closed
    }
  }

  private List<Device> look() {
    List<Device> devices = new ArrayList<>();
    for (String parent : definition.parents()) {
      switch (definition.kind()) {
        case PHYSICAL -> devices.add(device(parent, parent, Map.of()));
        case MACVLAN, IPVLAN -> {
          for (String child : SharedIds.of(parent, definition.shares())) {
            devices.add(device(child, parent, Map.of("parent", parent)));
          }
        }
        case SRIOV -> {
          for (String pci : functions(parent)) {
            String name = functionName(pci).orElse("");
            devices.add(device(pci, name, Map.of("parent", parent, "pci", pci)));
          }
        }
      }
    }
    return devices;
  }

  private Device device(String id, String interfaceName, Map<String, String> attributes) {
    Path folder = interfaces.resolve(interfaceName);
    boolean there = !interfaceName.isEmpty() && Files.exists(folder);
    Map<String, String> all = new HashMap<>(attributes);
    all.put("interface", interfaceName);
    read(folder.resolve("address")).ifPresent(mac -> all.put("mac", mac));
    List<Long> numa =
        read(folder.resolve("device/numa_node"))
            .filter(text -> text.matches("[0-9]+"))
            .map(text -> List.of(Long.valueOf(text)))
            .orElse(List.of());
    return new Device(
        id, there || lent.apply(id).isPresent(), there ? numa : List.of(), there ? all : Map.of());
  }

  /** PCI addresses of an interface's virtual functions, in their order. */
  private List<String> functions(String parent) {
    List<String> found = new ArrayList<>();
    Path device = interfaces.resolve(parent).resolve("device");
    for (int i = 0; Files.exists(device.resolve("virtfn" + i)); i++) {
      try {
        found.add(String.valueOf(device.resolve("virtfn" + i).toRealPath().getFileName()));
      } catch (IOException e) {
        break; // they are being taken away
      }
    }
    return found;
  }

  private Optional<String> functionName(String pci) {
    Path folder = definition.root().resolve("sys/bus/pci/devices").resolve(pci).resolve("net");
    try (DirectoryStream<Path> names = Files.newDirectoryStream(folder)) {
      for (Path name : names) {
        return Optional.of(String.valueOf(name.getFileName()));
      }
    } catch (IOException e) {
      return Optional.empty(); // no driver has it, or it is lent
    }
    return Optional.empty();
  }

  /** The interface on the host that a device id means: itself, or the parent of a child. */
  String hostInterface(String id) throws IOException {
    return switch (definition.kind()) {
      case PHYSICAL -> id;
      case MACVLAN, IPVLAN -> SharedIds.device(id, definition.shares());
      case SRIOV ->
          functionName(id)
              .orElseThrow(() -> new IOException("virtual function " + id + " has no interface"));
    };
  }

  NicDefinition definition() {
    return definition;
  }

  @Override
  public ContainerAllocateResponse allocate(List<String> ids) throws IOException {
    ContainerAllocateResponse.Builder answer = ContainerAllocateResponse.newBuilder();
    boolean infiniband = false;
    for (String id : ids) {
      Path verbs = hardware(id).resolve("infiniband_verbs");
      if (Files.isDirectory(verbs)) {
        try (DirectoryStream<Path> nodes = Files.newDirectoryStream(verbs, "uverbs*")) {
          for (Path node : nodes) {
            answer.addDevices(node(INFINIBAND + "/" + node.getFileName()));
            infiniband = true;
          }
        }
      }
    }
    if (infiniband && Files.exists(at(INFINIBAND + "/rdma_cm"))) {
      answer.addDevices(node(INFINIBAND + "/rdma_cm"));
    }
    return answer.build();
  }

  /**
   * The device below an interface; while that is in a pod, only the way along the bus leads there.
   */
  private Path hardware(String id) throws IOException {
    Optional<LentInterface> known = lent.apply(id);
    return known.isPresent()
        ? at(known.get().getBusPath())
        : interfaces.resolve(hostInterface(id)).resolve("device");
  }

  private Path at(String absolute) {
    return definition.root().resolve(Path.of("/").relativize(Path.of("/", absolute)));
  }

  private DeviceSpec node(String path) {
    return DeviceSpec.newBuilder()
        .setHostPath(at(path).toString())
        .setContainerPath(path)
        .setPermissions("rw")
        .build();
  }

  private static Optional<String> read(Path file) {
    try {
      return Optional.of(Files.readString(file).strip());
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
