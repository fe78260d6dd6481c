package io.keelson.device.plugin;

import io.keelson.proto.deviceplugin.v1beta1.ContainerAllocateResponse;
import java.io.IOException;
import java.util.List;

/**
 * What offers the devices of one resource: the contract of the kubelet's device plugins (v1beta1)
 * in Java. A vendor's plugin behind its socket, the built-in ones, and what a vendor serves with
 * the SDK are all of this kind. Safe for use by many threads.
 */
public interface DevicePlugin extends AutoCloseable {

  /** Annotation of an answer: its mounts are only for images with the label that it names. */
  String MOUNTS_FOR_LABEL = "devices.keelson.io/mounts-for-label";

  /** Annotation of an answer: {@code uid:gid} of its nodes unless the container's say otherwise. */
  String NODE_OWNER = "devices.keelson.io/owner";

  /** The same for the permission bits of its nodes, octal. */
  String NODE_MODE = "devices.keelson.io/mode";

  /**
   * Tells the whole list of devices, at once and after each change, until the plugin ends or is
   * closed. Comes once.
   *
   * @param listener must not block; may be called before this returns, and from any thread, one
   *     call at a time
   */
  void watch(Listener listener) throws IOException;

  /** Whether {@link #prefer} has an opinion. */
  default boolean hasPreference() {
    return false;
  }

  /** Whether {@link #preStart} has something to do. */
  default boolean wantsPreStart() {
    return false;
  }

  /**
   * Which devices the plugin would give away first: a hint.
   *
   * @param available ids to choose from
   * @param mustInclude ids among them that are given in any case
   * @param size how many in all
   * @return ids among {@code available}; fewer, more or others are ignored
   */
  default List<String> prefer(List<String> available, List<String> mustInclude, int size)
      throws IOException {
    return List.of();
  }

  /**
   * What must be in a container that gets these devices. May come again for the same ones.
   *
   * @throws IOException with the plugin's words if it refuses
   */
  ContainerAllocateResponse allocate(List<String> ids) throws IOException;

  /** Comes before a container with these devices is made. */
  default void preStart(List<String> ids) throws IOException {}

  /**
   * Nothing uses these devices any more. Vendors' plugins are not told: the contract has no word.
   */
  default void free(List<String> ids) throws IOException {}

  /** Ends the watching. Harmless when done twice. */
  @Override
  void close();

  /** Hears of the devices of one plugin. */
  interface Listener {

    /** All devices that there are now. */
    void devices(List<Device> all);

    /** The plugin is gone; nothing more comes. */
    void ended(String why);
  }
}
