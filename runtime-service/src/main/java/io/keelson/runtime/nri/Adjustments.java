package io.keelson.runtime.nri;

import io.keelson.proto.nri.v1alpha1.CDIDevice;
import io.keelson.proto.nri.v1alpha1.Container;
import io.keelson.proto.nri.v1alpha1.ContainerAdjustment;
import io.keelson.proto.nri.v1alpha1.Field;
import io.keelson.proto.nri.v1alpha1.Hooks;
import io.keelson.proto.nri.v1alpha1.KeyValue;
import io.keelson.proto.nri.v1alpha1.LinuxDevice;
import io.keelson.proto.nri.v1alpha1.Mount;
import io.keelson.proto.nri.v1alpha1.POSIXRlimit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * What plugins want of a container that is being made, put together in the order in which they are
 * asked: each one sees the container as those before it left it, and what two plugins both set
 * fails the call. One thread uses it.
 */
final class Adjustments {

  private final Owners owners;
  private final Container.Builder container;
  private final ContainerAdjustment.Builder wanted = ContainerAdjustment.newBuilder();

  Adjustments(Owners owners, Container before) {
    this.owners = owners;
    this.container = before.toBuilder();
  }

  /** The container as the plugins asked so far want it. */
  Container container() {
    return container.build();
  }

  /** What all plugins asked so far want. */
  ContainerAdjustment wanted() {
    return wanted.build();
  }

  /**
   * Takes what one plugin wants.
   *
   * @throws io.keelson.sandbox.error.OperationFailedException if another plugin set the same
   */
  void take(ContainerAdjustment adjustment, String plugin) {
    annotations(adjustment.getAnnotationsMap(), plugin);
    mounts(adjustment.getMountsList(), plugin);
    env(adjustment.getEnvList(), plugin);
    args(adjustment.getArgsList(), plugin);
    if (adjustment.hasHooks()) {
      hooks(adjustment.getHooks(), plugin);
    }
    if (adjustment.hasLinux()) {
      devices(adjustment.getLinux().getDevicesList(), plugin);
      new LinuxAdjustments(
              owners, container.getId(), container.getLinuxBuilder(), wanted.getLinuxBuilder())
          .take(adjustment.getLinux(), plugin);
    }
    for (POSIXRlimit limit : adjustment.getRlimitsList()) {
      claim(Field.Rlimits, limit.getType(), plugin);
      wanted.addRlimits(limit);
      List<POSIXRlimit> others =
          container.getRlimitsList().stream()
              .filter(other -> !other.getType().equals(limit.getType()))
              .toList();
      container.clearRlimits().addAllRlimits(others).addRlimits(limit);
    }
    for (CDIDevice device : adjustment.getCDIDevicesList()) {
      claim(Field.CdiDevices, device.getName(), plugin);
      wanted.addCDIDevices(device);
    }
  }

  private void claim(Field field, String key, String plugin) {
    owners.claim(container.getId(), field, key, plugin);
  }

  private void annotations(Map<String, String> change, String plugin) {
    keyed(
        change,
        key -> owners.clear(container.getId(), Field.Annotations, key, plugin),
        key -> {
          container.removeAnnotations(key);
          wanted.removeAnnotations(key).putAnnotations(Removal.mark(key), "");
        },
        (key, value) -> {
          claim(Field.Annotations, key, plugin);
          container.putAnnotations(key, value);
          wanted.putAnnotations(key, value);
        });
  }

  /** A map of which some keys are marked for removal: removals come first, then what is set. */
  static <V> void keyed(
      Map<String, V> change,
      Consumer<String> clear,
      Consumer<String> remove,
      BiConsumer<String, V> set) {
    change.keySet().stream()
        .filter(Removal::isMarked)
        .map(Removal::key)
        .forEach(
            key -> {
              clear.accept(key);
              remove.accept(key);
            });
    change.forEach(
        (key, value) -> {
          if (!Removal.isMarked(key)) {
            set.accept(key, value);
          }
        });
  }

  private void mounts(List<Mount> change, String plugin) {
    Set<String> removed = removed(change, Mount::getDestination);
    removed.forEach(key -> owners.clear(container.getId(), Field.Mounts, key, plugin));
    List<Mount> wantedBefore = without(wanted.getMountsList(), Mount::getDestination, removed);
    wanted.clearMounts().addAllMounts(wantedBefore);
    Set<String> changed = keys(change, Mount::getDestination);
    List<Mount> kept = without(container.getMountsList(), Mount::getDestination, changed);
    container.clearMounts().addAllMounts(kept);
    for (Mount mount : removalsFirst(change, Mount::getDestination)) {
      wanted.addMounts(mount);
      if (!Removal.isMarked(mount.getDestination())) {
        claim(Field.Mounts, mount.getDestination(), plugin);
        container.addMounts(mount);
      }
    }
  }

  private void devices(List<LinuxDevice> change, String plugin) {
    Set<String> removed = removed(change, LinuxDevice::getPath);
    removed.forEach(key -> owners.clear(container.getId(), Field.Devices, key, plugin));
    var linux = container.getLinuxBuilder();
    var linuxWanted = wanted.getLinuxBuilder();
    List<LinuxDevice> wantedBefore =
        without(linuxWanted.getDevicesList(), LinuxDevice::getPath, removed);
    linuxWanted.clearDevices().addAllDevices(wantedBefore);
    List<LinuxDevice> kept =
        without(linux.getDevicesList(), LinuxDevice::getPath, keys(change, LinuxDevice::getPath));
    linux.clearDevices().addAllDevices(kept);
    for (LinuxDevice device : removalsFirst(change, LinuxDevice::getPath)) {
      linuxWanted.addDevices(device);
      if (!Removal.isMarked(device.getPath())) {
        claim(Field.Devices, device.getPath(), plugin);
        linux.addDevices(device);
      }
    }
  }

  private void env(List<KeyValue> change, String plugin) {
    Set<String> removed = removed(change, KeyValue::getKey);
    removed.forEach(key -> owners.clear(container.getId(), Field.Env, key, plugin));
    List<KeyValue> wantedBefore = without(wanted.getEnvList(), KeyValue::getKey, removed);
    wanted.clearEnv().addAllEnv(wantedBefore);
    List<String> kept =
        without(container.getEnvList(), Adjustments::variable, keys(change, KeyValue::getKey));
    container.clearEnv().addAllEnv(kept);
    for (KeyValue variable : removalsFirst(change, KeyValue::getKey)) {
      wanted.addEnv(variable);
      if (!Removal.isMarked(variable.getKey())) {
        claim(Field.Env, variable.getKey(), plugin);
        container.addEnv(variable.getKey() + "=" + variable.getValue());
      }
    }
  }

  private static String variable(String assignment) {
    int equals = assignment.indexOf('=');
    return equals < 0 ? assignment : assignment.substring(0, equals);
  }

  private void args(List<String> change, String plugin) {
    if (change.isEmpty()) {
      return;
    }
    List<String> args = change;
    if (args.getFirst().isEmpty()) {
      owners.clear(container.getId(), Field.Args, plugin);
      args = args.subList(1, args.size());
    }
    owners.claim(container.getId(), Field.Args, plugin);
    wanted.clearArgs().addAllArgs(args);
    container.clearArgs().addAllArgs(args);
  }

  private void hooks(Hooks change, String plugin) {
    if (!change.equals(Hooks.getDefaultInstance())) {
      owners.add(container.getId(), Field.OciHooks, plugin);
      wanted.getHooksBuilder().mergeFrom(change); // appends
      container.getHooksBuilder().mergeFrom(change);
    }
  }

  /** So that what a plugin removes and sets in one breath is there in the end. */
  private static <T> List<T> removalsFirst(List<T> change, Function<T, String> key) {
    List<T> ordered = new ArrayList<>(change);
    ordered.sort(Comparator.comparing(one -> !Removal.isMarked(key.apply(one)))); // stable
    return ordered;
  }

  private static <T> Set<String> removed(List<T> change, Function<T, String> key) {
    Set<String> removed = new HashSet<>();
    for (T one : change) {
      if (Removal.isMarked(key.apply(one))) {
        removed.add(Removal.key(key.apply(one)));
      }
    }
    return removed;
  }

  private static <T> Set<String> keys(List<T> change, Function<T, String> key) {
    Set<String> keys = new HashSet<>();
    change.forEach(one -> keys.add(Removal.key(key.apply(one))));
    return keys;
  }

  private static <T> List<T> without(List<T> all, Function<T, String> key, Set<String> gone) {
    List<T> kept = new ArrayList<>(all);
    kept.removeIf(one -> gone.contains(key.apply(one)));
    return kept;
  }
}
