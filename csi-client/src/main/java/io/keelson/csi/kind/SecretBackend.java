package io.keelson.csi.kind;

import io.keelson.csi.driver.Operation;
import io.keelson.csi.volume.VolumeBackend;
import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.KernelThreads;
import io.keelson.linux.Mounts;
import io.keelson.proto.node.v1.SecretVolume;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.proto.record.v1.PublicationRecord;
import io.keelson.proto.record.v1.VolumeRecord;
import io.keelson.sandbox.RecordStore.Durability;
import io.keelson.sandbox.error.InvalidRequestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Secrets as files of a read-only tmpfs: they never touch a disk, and on Linux 6.4 and newer are
 * not swapped to one either (tmpfs(5), {@code noswap}).
 */
public final class SecretBackend implements VolumeBackend {

  private static final int FILE_MODE = 0444;
  private static final String OPTIONS = "mode=755,size=2m,nr_inodes=1k";
  private static final String IN_MEMORY = "noswap";

  private final SecretFolders secrets;
  private final KernelThreads kernelThreads;

  public SecretBackend(SecretFolders secrets, KernelThreads kernelThreads) {
    this.secrets = secrets;
    this.kernelThreads = kernelThreads;
  }

  @Override
  public String key(VolumeSource source, String publicationId) {
    if (source.getSecret().getName().isEmpty()) {
      throw new InvalidRequestException("the volume names no secret");
    }
    Modes.parse(source.getSecret().getMode(), FILE_MODE);
    return "secret~" + publicationId;
  }

  @Override
  public Durability durability() {
    return Durability.DAEMON;
  }

  @Override
  public Path publish(
      VolumeRecord volume, PublicationRecord publication, Path target, Operation operation)
      throws IOException {
    SecretVolume secret = publication.getSource().getSecret();
    Map<String, byte[]> files = secrets.read(secret.getName());
    int mode = Modes.parse(secret.getMode(), FILE_MODE);
    unpublish(volume, publication, target, operation); // half of an earlier try
    Files.createDirectories(target);
    kernelThreads.run(
        () -> {
          long flags = Mounts.MS_NOSUID | Mounts.MS_NODEV | Mounts.MS_NOEXEC;
          String options = mount(target, flags);
          for (Map.Entry<String, byte[]> file : files.entrySet()) {
            Path path = target.resolve(file.getKey());
            Files.createFile(path);
            Modes.set(path, mode);
            Files.write(path, file.getValue());
          }
          // The file system itself, not this mount of it: a container gets another mount.
          Mounts.mount(null, target, null, Mounts.MS_REMOUNT | Mounts.MS_RDONLY | flags, options);
        });
    return target;
  }

  /** Answers the options that every later mount of it must repeat. */
  private static @Nullable String mount(Path target, long flags) throws IOException {
    try {
      Mounts.mount("keelson", target, "tmpfs", flags, OPTIONS + "," + IN_MEMORY);
      return IN_MEMORY;
    } catch (ErrnoException e) {
      if (!e.is(Errno.EINVAL)) {
        throw e;
      }
      Mounts.mount("keelson", target, "tmpfs", flags, OPTIONS); // an older kernel
      return null;
    }
  }

  @Override
  public void unpublish(
      VolumeRecord volume, PublicationRecord publication, Path target, Operation operation)
      throws IOException {
    Targets.detach(target, kernelThreads);
  }
}
