package io.keelson.sandbox.isolator;

import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.IdMapping;
import io.keelson.linux.MountAttributes;
import io.keelson.linux.Mounts;
import io.keelson.linux.UserNamespaces;
import io.keelson.proto.cri.v1.Mount;
import io.keelson.sandbox.error.UnsupportedException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.PodUserNamespace;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Volumes whose files' owners are mapped: mounted with their mapping below the bundle, from where
 * the runtime binds them, so that any runtime will do. Gone as soon as the runtime has bound them:
 * else they would keep a volume busy for longer than its container.
 */
final class IdMappedSources {

  private static final String FOLDER = "mounts";

  private IdMappedSources() {}

  static boolean isWanted(Mount mount) {
    return mount.getUidMappingsCount() > 0 || mount.getGidMappingsCount() > 0;
  }

  /** Refuses mappings that can't be had. */
  static void validate(Mount mount) {
    uids(mount);
    gids(mount);
  }

  /**
   * Mounts a volume with its mapping.
   *
   * @param mount with its source resolved
   * @param number of the mount in its container
   * @return what the container is to get in its place
   * @throws UnsupportedException if the volume's file system can't map owners
   */
  static Path stage(ContainerContext container, Mount mount, int number) throws IOException {
    Path source = Path.of(mount.getHostPath());
    Path target =
        Files.createDirectories(container.bundle().resolve(FOLDER))
            .resolve(Integer.toString(number));
    if (Files.isDirectory(source)) {
      Files.createDirectory(target);
    } else {
      Files.createFile(target);
    }
    Optional<PodUserNamespace> ofPod = container.pod().userNamespace();
    if (ofPod.isPresent()
        && ofPod.get().uids().equals(uids(mount))
        && ofPod.get().gids().equals(gids(mount))) {
      bind(mount, source, target, ofPod.get().file());
    } else {
      try (UserNamespaces.Held held = UserNamespaces.hold(uids(mount), gids(mount))) {
        bind(mount, source, target, held.path());
      }
    }
    return target;
  }

  private static void bind(Mount mount, Path source, Path target, Path userNamespace)
      throws IOException {
    try {
      MountAttributes.bindIdMapped(source, target, userNamespace);
    } catch (ErrnoException e) {
      if (!e.is(Errno.EINVAL) && !e.is(Errno.ENOSYS)) {
        throw e;
      }
      throw new UnsupportedException(
          "mount %s: the file system of host path %s can't map owners: %s"
              .formatted(mount.getContainerPath(), source, e.getMessage()),
          e);
    }
  }

  /** Takes the mounts away. Harmless if there are none. */
  static void drop(ContainerContext container) throws IOException {
    Path folder = container.bundle().resolve(FOLDER);
    if (!Files.isDirectory(folder)) {
      return;
    }
    try (DirectoryStream<Path> targets = Files.newDirectoryStream(folder)) {
      for (Path target : targets) {
        while (Mounts.detach(target)) {
          // until the volume is free
        }
      }
    }
  }

  private static IdMapping uids(Mount mount) {
    return PodUserNamespace.range(
        "uidMappings of mount " + mount.getContainerPath(), mount.getUidMappingsList());
  }

  private static IdMapping gids(Mount mount) {
    return PodUserNamespace.range(
        "gidMappings of mount " + mount.getContainerPath(), mount.getGidMappingsList());
  }
}
