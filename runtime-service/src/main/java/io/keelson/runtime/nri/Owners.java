package io.keelson.runtime.nri;

import io.keelson.proto.nri.v1alpha1.CompoundFieldOwners;
import io.keelson.proto.nri.v1alpha1.Field;
import io.keelson.proto.nri.v1alpha1.FieldOwners;
import io.keelson.proto.nri.v1alpha1.OwningPlugins;
import io.keelson.sandbox.error.OperationFailedException;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Which plugin set what of which container during one call, so that two can't set the same. One
 * thread uses it.
 */
final class Owners {

  private static final String REMOVED = "-";
  private static final String WHOLE = "";

  /** Of these there is more than one in a container, each with an owner of its own. */
  private static final Set<Field> COMPOUND =
      Set.of(
          Field.Annotations,
          Field.Mounts,
          Field.Devices,
          Field.CdiDevices,
          Field.Env,
          Field.HugepageLimits,
          Field.CgroupsUnified,
          Field.Rlimits,
          Field.Namespace,
          Field.Sysctl,
          Field.LinuxNetDevices);

  private final Map<String, Map<Field, Map<String, String>>> containers = new TreeMap<>();

  /**
   * The plugin sets the field.
   *
   * @throws OperationFailedException if another plugin has set it
   */
  void claim(String container, Field field, String plugin) {
    claim(container, field, WHOLE, plugin);
  }

  /**
   * As {@link #claim(String, Field, String)}, for one thing of several.
   *
   * @param key which one: a mount's destination, a variable's name
   */
  void claim(String container, Field field, String key, String plugin) {
    Map<String, String> owners = owners(container, field);
    String other = owners.get(key);
    if (other != null && !other.startsWith(REMOVED) && !other.equals(plugin)) {
      throw new OperationFailedException(
          "NRI plugins %s and %s both set %s%s of container %s"
              .formatted(other, plugin, field, key.isEmpty() ? "" : " \"" + key + "\"", container));
    }
    owners.put(key, plugin);
  }

  /** The plugin takes away what was set; another may set it anew. */
  void clear(String container, Field field, String key, String plugin) {
    owners(container, field).put(key, REMOVED + plugin);
  }

  void clear(String container, Field field, String plugin) {
    clear(container, field, WHOLE, plugin);
  }

  /** The plugin adds to what several may add to. */
  void add(String container, Field field, String plugin) {
    owners(container, field).merge(WHOLE, plugin, (others, one) -> others + "," + one);
  }

  /** Who set, cleared or added to the field, by the key of what it was. */
  Map<String, String> of(String container, Field field) {
    Map<String, String> byKey =
        containers.getOrDefault(container, Map.of()).getOrDefault(field, Map.of());
    Map<String, String> plugins = new TreeMap<>();
    byKey.forEach(
        (key, owner) ->
            plugins.put(
                key, owner.startsWith(REMOVED) ? owner.substring(REMOVED.length()) : owner));
    return plugins;
  }

  OwningPlugins toMessage() {
    OwningPlugins.Builder message = OwningPlugins.newBuilder();
    containers.forEach(
        (container, fields) -> {
          FieldOwners.Builder owners = FieldOwners.newBuilder();
          fields.forEach(
              (field, byKey) -> {
                if (COMPOUND.contains(field)) {
                  owners.putCompound(
                      field.getNumber(),
                      CompoundFieldOwners.newBuilder().putAllOwners(byKey).build());
                } else {
                  owners.putSimple(field.getNumber(), byKey.getOrDefault(WHOLE, ""));
                }
              });
          message.putOwners(container, owners.build());
        });
    return message.build();
  }

  private Map<String, String> owners(String container, Field field) {
    return containers
        .computeIfAbsent(container, _ -> new EnumMap<>(Field.class))
        .computeIfAbsent(field, _ -> new TreeMap<>());
  }
}
