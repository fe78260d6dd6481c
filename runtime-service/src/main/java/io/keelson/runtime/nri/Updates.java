package io.keelson.runtime.nri;

import io.keelson.proto.nri.v1alpha1.ContainerEviction;
import io.keelson.proto.nri.v1alpha1.ContainerUpdate;
import io.keelson.proto.nri.v1alpha1.LinuxContainerUpdate;
import io.keelson.proto.nri.v1alpha1.LinuxResources;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.OperationFailedException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What plugins want of containers that exist, put together over all plugins of one call. One thread
 * uses it.
 */
final class Updates {

  private static final class Wanted {
    final LinuxResources.Builder resources = LinuxResources.newBuilder();
    boolean ignoreFailure = true;
  }

  private final Owners owners;
  private final String created;
  private final Map<String, Wanted> byContainer = new LinkedHashMap<>();
  private final List<ContainerEviction> evictions = new ArrayList<>();

  /**
   * Nothing is wanted yet.
   *
   * @param created a container that is being made and can't be updated; empty for none
   */
  Updates(Owners owners, String created) {
    this.owners = owners;
    this.created = created;
  }

  /**
   * Takes what one plugin wants.
   *
   * @throws OperationFailedException if another plugin wants the same
   */
  void take(List<ContainerUpdate> updates, List<ContainerEviction> evict, String plugin) {
    for (ContainerUpdate update : updates) {
      String id = update.getContainerId();
      if (id.equals(created)) {
        throw new InvalidRequestException(
            "NRI plugin %s wants to update container %s while it is being made"
                .formatted(plugin, id));
      }
      Wanted wanted = byContainer.computeIfAbsent(id, _ -> new Wanted());
      wanted.ignoreFailure &= update.getIgnoreFailure();
      LinuxResources.Builder merged = wanted.resources.clone();
      try {
        new ResourceMerge(owners, id, plugin).merge(update.getLinux().getResources(), merged);
        wanted.resources.clear().mergeFrom(merged.build());
      } catch (OperationFailedException e) {
        if (!update.getIgnoreFailure()) {
          throw e;
        }
      }
    }
    evictions.addAll(evict);
  }

  /** What is wanted of one container so far. */
  LinuxResources of(String id) {
    Wanted own = byContainer.get(id);
    return own == null ? LinuxResources.getDefaultInstance() : own.resources.build();
  }

  /** What was wanted of one container alone, which is no update any more. */
  LinuxResources extract(String id) {
    Wanted own = byContainer.remove(id);
    return own == null ? LinuxResources.getDefaultInstance() : own.resources.build();
  }

  List<ContainerUpdate> updates() {
    return byContainer.entrySet().stream()
        .map(
            entry ->
                ContainerUpdate.newBuilder()
                    .setContainerId(entry.getKey())
                    .setIgnoreFailure(entry.getValue().ignoreFailure)
                    .setLinux(
                        LinuxContainerUpdate.newBuilder().setResources(entry.getValue().resources))
                    .build())
        .toList();
  }

  List<ContainerEviction> evictions() {
    return List.copyOf(evictions);
  }
}
