package io.keelson.csi.kind;

import io.keelson.csi.driver.Operation;
import io.keelson.csi.quota.FolderQuota;
import io.keelson.csi.volume.MountTable;
import io.keelson.csi.volume.VolumeBackend;
import io.keelson.proto.node.v1.SandboxPathVolume;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.proto.record.v1.PublicationRecord;
import io.keelson.proto.record.v1.VolumeRecord;
import io.keelson.sandbox.FileTrees;
import io.keelson.sandbox.error.InvalidRequestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A folder that the containers of a pod share and that goes with the pod, limited if asked for. */
public final class SandboxPathBackend implements VolumeBackend {

  private static final int DEFAULT_MODE = 0777;

  private final FolderQuota quota;

  public SandboxPathBackend(FolderQuota quota) {
    this.quota = quota;
  }

  @Override
  public String key(VolumeSource source, String publicationId) {
    if (source.getSandboxPath().getSizeBytes() < 0) {
      throw new InvalidRequestException("the size of a sandbox path can't be negative");
    }
    Modes.parse(source.getSandboxPath().getMode(), DEFAULT_MODE);
    return "sandbox-path~" + publicationId;
  }

  @Override
  public Path publish(
      VolumeRecord volume, PublicationRecord publication, Path target, Operation operation)
      throws IOException {
    SandboxPathVolume wanted = publication.getSource().getSandboxPath();
    Files.createDirectories(target);
    Modes.set(target, Modes.parse(wanted.getMode(), DEFAULT_MODE));
    resume(publication, target);
    return target;
  }

  @Override
  public void resume(PublicationRecord publication, Path target) throws IOException {
    long bytes = publication.getSource().getSandboxPath().getSizeBytes();
    if (bytes > 0) {
      quota.limit(publication.getId(), List.of(target), bytes);
    }
  }

  @Override
  public void unpublish(
      VolumeRecord volume, PublicationRecord publication, Path target, Operation operation)
      throws IOException {
    quota.release(publication.getId(), target);
    if (!MountTable.read().isMounted(target)) {
      FileTrees.delete(target);
    }
  }

  @Override
  public boolean isPublished(PublicationRecord publication, Path target, MountTable mounts) {
    return Files.isDirectory(target);
  }
}
