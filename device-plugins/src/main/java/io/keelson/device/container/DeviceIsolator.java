package io.keelson.device.container;

import io.keelson.device.allocation.Allocations;
import io.keelson.device.allocation.Allocator;
import io.keelson.device.allocation.DeviceRequest;
import io.keelson.device.dra.PodClaims;
import io.keelson.device.nic.Nics;
import io.keelson.proto.cri.v1.CDIDevice;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.record.v1.DeviceAllocation;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.spec.SpecBuilder;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The devices of a container: those that its annotations ask for, those that its pod has as a
 * whole, those that were reserved under its name, and CDI devices by name. What a kubelet has
 * allocated itself is in the container's config and no concern of this. Comes after the isolator of
 * device nodes, which begins the rules of access.
 */
public final class DeviceIsolator implements Isolator {

  private static final Logger log = LoggerFactory.getLogger(DeviceIsolator.class);

  private final Allocator allocator;
  private final Allocations allocations;
  private final CdiIsolator cdi;
  private final Nics nics;
  private final PodClaims claims;
  private final NodeOwners owners;

  public DeviceIsolator(
      Allocator allocator,
      Allocations allocations,
      CdiIsolator cdi,
      Nics nics,
      PodClaims claims,
      NodeOwners owners) {
    this.nics = nics;
    this.claims = claims;
    this.allocator = allocator;
    this.allocations = allocations;
    this.cdi = cdi;
    this.owners = owners;
  }

  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) throws IOException {
    ContainerConfig config = container.config();
    List<DeviceAllocation> held = allocate(container);
    boolean privileged = config.getLinux().getSecurityContext().getPrivileged();
    List<String> cdiNames = new ArrayList<>();
    config.getCDIDevicesList().stream().map(CDIDevice::getName).forEach(cdiNames::add);
    cdiNames.addAll(DeviceAnnotations.cdiNames(config.getAnnotationsMap()));
    cdiNames.addAll(claims.cdiDevices(container.pod().id()));
    for (DeviceAllocation allocation : held) {
      AnswerApplication.apply(
          allocation.getResponse(),
          spec,
          owners.of(container, allocation.getResponse(), spec.user()),
          container.image().labels(),
          privileged);
      allocation.getResponse().getCdiDevicesList().forEach(name -> cdiNames.add(name.getName()));
      cdiNames.addAll(DeviceAnnotations.cdiNames(allocation.getResponse().getAnnotationsMap()));
    }
    cdi.inject(container, cdiNames, spec);
  }

  private List<DeviceAllocation> allocate(ContainerContext container) throws IOException {
    PodSandboxConfig pod = container.pod().config();
    ContainerConfig config = container.config();
    String name = config.getMetadata().getName();
    List<DeviceAllocation> own = new ArrayList<>();
    List<DeviceRequest> requests = DeviceAnnotations.ofContainer(pod, config);
    Set<String> asked = requests.stream().map(DeviceRequest::resource).collect(Collectors.toSet());
    for (DeviceAllocation waiting : allocations.ofName(pod.getMetadata().getUid(), name)) {
      if (waiting.getReserved() && !asked.contains(waiting.getResource())) {
        allocations.join(waiting, container.id()).ifPresent(own::add);
      }
    }
    if (!requests.isEmpty()) {
      own.addAll(
          allocator.allocate(
              DeviceAnnotations.claimant(container.pod().id(), pod, name, container.id()),
              requests,
              memoryNodes(config)));
    }
    nics.lend(container.pod(), container.id(), own);
    List<DeviceAllocation> held = new ArrayList<>(allocations.ofSandbox(container.pod().id()));
    held.addAll(own);
    return held;
  }

  /** The NUMA nodes that the container's memory comes from, if it is bound to some. */
  private static Set<Long> memoryNodes(ContainerConfig config) {
    Set<Long> nodes = new TreeSet<>();
    String list = config.getLinux().getResources().getCpusetMems();
    Arrays.stream(list.split(",", -1))
        .filter(part -> part.matches("[0-9]{1,4}(-[0-9]{1,4})?"))
        .forEach(
            part -> {
              int dash = part.indexOf('-');
              long first = Long.parseLong(dash < 0 ? part : part.substring(0, dash));
              long last = dash < 0 ? first : Long.parseLong(part.substring(dash + 1));
              for (long node = first; node <= last; node++) {
                nodes.add(node);
              }
            });
    return nodes;
  }

  /** Containers that are gone hold nothing: the daemon may have been killed in between. */
  @Override
  public void recover(Collection<ContainerContext> known) throws IOException {
    Set<String> containers = known.stream().map(ContainerContext::id).collect(Collectors.toSet());
    for (DeviceAllocation allocation : allocations.all()) {
      for (String holder : allocation.getContainerIdsList()) {
        if (!containers.contains(holder)) {
          log.atInfo()
              .addKeyValue("container", holder)
              .addKeyValue("resource", allocation.getResource())
              .addKeyValue("devices", allocation.getDeviceIdsList())
              .log("a container that is gone gives its devices back");
          allocator.releaseContainer(holder);
        }
      }
    }
  }

  @Override
  public void cleanup(ContainerContext container) throws IOException {
    nics.takeHomeFromContainer(container.id());
    allocator.releaseContainer(container.id());
  }
}
