package io.keelson.runtime.nri;

import io.keelson.proto.nri.v1alpha1.Field;
import io.keelson.proto.nri.v1alpha1.LinuxContainer;
import io.keelson.proto.nri.v1alpha1.LinuxContainerAdjustment;
import io.keelson.proto.nri.v1alpha1.LinuxNamespace;
import io.keelson.proto.nri.v1alpha1.LinuxNetDevice;
import io.keelson.proto.nri.v1alpha1.LinuxRdt;
import java.util.List;

/** The part of {@link Adjustments} that only Linux has, without the devices. */
final class LinuxAdjustments {

  private final Owners owners;
  private final String id;
  private final LinuxContainer.Builder container;
  private final LinuxContainerAdjustment.Builder wanted;

  LinuxAdjustments(
      Owners owners,
      String id,
      LinuxContainer.Builder container,
      LinuxContainerAdjustment.Builder wanted) {
    this.owners = owners;
    this.id = id;
    this.container = container;
    this.wanted = wanted;
  }

  void take(LinuxContainerAdjustment change, String plugin) {
    if (change.hasResources()) {
      ResourceMerge merge = new ResourceMerge(owners, id, plugin);
      merge.merge(change.getResources(), container.getResourcesBuilder());
      merge.merge(change.getResources(), wanted.getResourcesBuilder());
    }
    if (!change.getCgroupsPath().isEmpty()) {
      owners.claim(id, Field.CgroupsPath, plugin);
      container.setCgroupsPath(change.getCgroupsPath());
      wanted.setCgroupsPath(change.getCgroupsPath());
    }
    if (change.hasOomScoreAdj()) {
      owners.claim(id, Field.OomScoreAdj, plugin);
      container.setOomScoreAdj(change.getOomScoreAdj());
      wanted.setOomScoreAdj(change.getOomScoreAdj());
    }
    if (change.hasIoPriority()) {
      owners.claim(id, Field.IoPriority, plugin);
      container.setIoPriority(change.getIoPriority());
      wanted.setIoPriority(change.getIoPriority());
    }
    if (change.hasSeccompPolicy()) {
      owners.claim(id, Field.SeccompPolicy, plugin);
      container.setSeccompPolicy(change.getSeccompPolicy());
      wanted.setSeccompPolicy(change.getSeccompPolicy());
    }
    if (change.hasScheduler()) {
      owners.claim(id, Field.LinuxSched, plugin);
      container.setScheduler(change.getScheduler());
      wanted.setScheduler(change.getScheduler());
    }
    if (change.hasMemoryPolicy()) {
      owners.claim(id, Field.MemoryPolicy, plugin);
      wanted.setMemoryPolicy(change.getMemoryPolicy());
    }
    namespaces(change.getNamespacesList(), plugin);
    sysctls(change, plugin);
    netDevices(change, plugin);
    if (change.hasRdt()) {
      rdt(change.getRdt(), plugin);
    }
  }

  private void namespaces(List<LinuxNamespace> change, String plugin) {
    for (LinuxNamespace namespace : change) {
      String type = Removal.key(namespace.getType());
      owners.claim(id, Field.Namespace, type, plugin);
      List<LinuxNamespace> others =
          container.getNamespacesList().stream()
              .filter(other -> !other.getType().equals(type))
              .toList();
      container.clearNamespaces().addAllNamespaces(others);
      if (!Removal.isMarked(namespace.getType())) {
        container.addNamespaces(namespace);
      }
      wanted.addNamespaces(namespace);
    }
  }

  private void sysctls(LinuxContainerAdjustment change, String plugin) {
    Adjustments.keyed(
        change.getSysctlMap(),
        key -> owners.clear(id, Field.Sysctl, key, plugin),
        key -> {
          container.removeSysctl(key);
          wanted.removeSysctl(key).putSysctl(Removal.mark(key), "");
        },
        (key, value) -> {
          owners.claim(id, Field.Sysctl, key, plugin);
          container.putSysctl(key, value);
          wanted.putSysctl(key, value);
        });
  }

  private void netDevices(LinuxContainerAdjustment change, String plugin) {
    Adjustments.keyed(
        change.getNetDevicesMap(),
        key -> owners.clear(id, Field.LinuxNetDevices, key, plugin),
        key -> {
          container.removeNetDevices(key);
          wanted
              .removeNetDevices(key)
              .putNetDevices(Removal.mark(key), LinuxNetDevice.getDefaultInstance());
        },
        (key, device) -> {
          owners.claim(id, Field.LinuxNetDevices, key, plugin);
          container.putNetDevices(key, device);
          wanted.putNetDevices(key, device);
        });
  }

  private void rdt(LinuxRdt change, String plugin) {
    LinuxRdt.Builder rdt = wanted.getRdtBuilder();
    if (change.getRemove()) {
      for (Field field : List.of(Field.RdtClosID, Field.RdtSchemata, Field.RdtEnableMonitoring)) {
        owners.clear(id, field, plugin);
      }
      rdt.clear().setRemove(true);
    }
    if (change.hasClosId()) {
      owners.claim(id, Field.RdtClosID, plugin);
      rdt.setClosId(change.getClosId()).setRemove(false);
    }
    if (change.hasSchemata()) {
      owners.claim(id, Field.RdtSchemata, plugin);
      rdt.setSchemata(change.getSchemata()).setRemove(false);
    }
    if (change.hasEnableMonitoring()) {
      owners.claim(id, Field.RdtEnableMonitoring, plugin);
      rdt.setEnableMonitoring(change.getEnableMonitoring()).setRemove(false);
    }
    container.setRdt(rdt);
  }
}
