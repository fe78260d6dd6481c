package io.keelson.device;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * What an administrator may set of devices.
 *
 * @param checkpoints folder of the records of allocations and of lent interfaces
 * @param pluginFolder where vendors' plugins register and keep their sockets
 * @param pluginWait how long a request waits for a plugin that is not back yet
 * @param cdiFolders of CDI specs; later ones win
 * @param definitions folder of the administrator's files of built-in plugins
 * @param lookInterval between two looks at the host for what the kernel does not tell
 * @param podResourcesSocket where monitors ask who holds what
 * @param ownersFromUser nodes belong to the container's user
 */
public record DeviceSettings(
    Path checkpoints,
    Path pluginFolder,
    Duration pluginWait,
    List<Path> cdiFolders,
    Path definitions,
    Duration lookInterval,
    Path podResourcesSocket,
    boolean ownersFromUser) {

  public DeviceSettings {
    cdiFolders = List.copyOf(cdiFolders);
  }
}
