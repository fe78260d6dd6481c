package io.keelson.device.allocation;

import io.keelson.device.plugin.Device;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Which devices to give: those that must be, then those that are near to one another, then those
 * that the plugin would give first, then in the plugin's order. Pure.
 */
final class DeviceChoice {

  private DeviceChoice() {}

  /**
   * What can be chosen from for one resource.
   *
   * @param wanted how many in all
   * @param must given in any case, at most {@code wanted}
   * @param free others that could be given, at least what is missing
   */
  record Pool(int wanted, List<Device> must, List<Device> free) {

    private boolean hasTopology() {
      return free.stream().anyMatch(device -> !device.numaNodes().isEmpty());
    }

    private boolean fitsOn(long node) {
      return !hasTopology() || must.size() + near(node).size() >= wanted;
    }

    private List<Device> near(long node) {
      return free.stream().filter(device -> device.numaNodes().contains(node)).toList();
    }
  }

  /**
   * The NUMA node that has enough devices for all pools: one of the preferred ones if any of them
   * has, else the lowest. Empty if there is none, or nothing to align.
   */
  static Optional<Long> node(Collection<Pool> pools, Set<Long> preferred) {
    SortedSet<Long> nodes = new TreeSet<>();
    for (Pool pool : pools) {
      pool.free.forEach(device -> nodes.addAll(device.numaNodes()));
    }
    List<Long> fitting =
        nodes.stream().filter(node -> pools.stream().allMatch(pool -> pool.fitsOn(node))).toList();
    return fitting.stream()
        .filter(preferred::contains)
        .findFirst()
        .or(() -> fitting.stream().findFirst());
  }

  /** The ids that a plugin may have a preference among: near ones only, if there are enough. */
  static List<String> candidates(Pool pool, Optional<Long> node) {
    List<Device> near = node.map(pool::near).orElse(List.of());
    boolean enough = pool.must.size() + near.size() >= pool.wanted;
    Set<String> ids = new LinkedHashSet<>();
    pool.must.forEach(device -> ids.add(device.id()));
    near.forEach(device -> ids.add(device.id()));
    if (!enough) {
      pool.free.forEach(device -> ids.add(device.id()));
    }
    return List.copyOf(ids);
  }

  /** As many as wanted: the plugin's preference as far as it makes sense, then in order. */
  static List<String> choose(Pool pool, List<String> candidates, List<String> preference) {
    Set<String> chosen = new LinkedHashSet<>();
    pool.must.forEach(device -> chosen.add(device.id()));
    List<String> rest = new ArrayList<>(preference);
    rest.retainAll(candidates);
    rest.addAll(candidates);
    for (String id : rest) {
      if (chosen.size() == pool.wanted) {
        break;
      }
      chosen.add(id);
    }
    return List.copyOf(chosen);
  }
}
