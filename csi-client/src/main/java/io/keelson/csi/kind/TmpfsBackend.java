package io.keelson.csi.kind;

import io.keelson.csi.driver.Operation;
import io.keelson.csi.volume.MountTable;
import io.keelson.csi.volume.VolumeBackend;
import io.keelson.linux.KernelThreads;
import io.keelson.linux.Mounts;
import io.keelson.proto.node.v1.TmpfsVolume;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.proto.record.v1.PublicationRecord;
import io.keelson.proto.record.v1.VolumeRecord;
import io.keelson.sandbox.RecordStore.Durability;
import io.keelson.sandbox.error.InvalidRequestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Memory that the containers of a pod share and that goes with the pod. */
public final class TmpfsBackend implements VolumeBackend {

  private static final int DEFAULT_MODE = 01777;

  private final KernelThreads kernelThreads;

  public TmpfsBackend(KernelThreads kernelThreads) {
    this.kernelThreads = kernelThreads;
  }

  @Override
  public String key(VolumeSource source, String publicationId) {
    if (source.getTmpfs().getSizeBytes() < 0) {
      throw new InvalidRequestException("the size of a tmpfs can't be negative");
    }
    Modes.parse(source.getTmpfs().getMode(), DEFAULT_MODE);
    return "tmpfs~" + publicationId;
  }

  @Override
  public Durability durability() {
    return Durability.DAEMON; // what it tells of is gone with the power
  }

  @Override
  public Path publish(
      VolumeRecord volume, PublicationRecord publication, Path target, Operation operation)
      throws IOException {
    TmpfsVolume tmpfs = publication.getSource().getTmpfs();
    String size = tmpfs.getSizeBytes() == 0 ? "" : ",size=" + tmpfs.getSizeBytes();
    String mode = Integer.toOctalString(Modes.parse(tmpfs.getMode(), DEFAULT_MODE));
    Files.createDirectories(target);
    if (!MountTable.read().isMounted(target)) {
      kernelThreads.run(
          () ->
              Mounts.mount(
                  "keelson",
                  target,
                  "tmpfs",
                  Mounts.MS_NOSUID | Mounts.MS_NODEV,
                  "mode=" + mode + size));
    }
    return target;
  }

  @Override
  public void unpublish(
      VolumeRecord volume, PublicationRecord publication, Path target, Operation operation)
      throws IOException {
    Targets.detach(target, kernelThreads);
  }
}
