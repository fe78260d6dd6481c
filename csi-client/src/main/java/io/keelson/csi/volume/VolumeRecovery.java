package io.keelson.csi.volume;

import io.keelson.linux.Mounts;
import io.keelson.proto.record.v1.PublicationPhase;
import io.keelson.proto.record.v1.PublicationRecord;
import io.keelson.sandbox.error.KeelsonException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a start does: holds the records against the mount table and against the pods that exist. It
 * waits for no driver (a driver may itself be a pod that this node has yet to run); what needs one
 * is left to the {@link Janitor}.
 */
final class VolumeRecovery {

  private static final Logger LOG = LoggerFactory.getLogger(VolumeRecovery.class);

  private final VolumeTable table;
  private final VolumeBackends backends;
  private final VolumeFolders folders;
  private final PublishVolume publish;
  private final Provisioned provisioned;
  private final Janitor janitor;
  private final String bootId;

  VolumeRecovery(
      VolumeTable table,
      VolumeBackends backends,
      VolumeFolders folders,
      PublishVolume publish,
      Provisioned provisioned,
      Janitor janitor,
      String bootId) {
    this.table = table;
    this.backends = backends;
    this.folders = folders;
    this.publish = publish;
    this.provisioned = provisioned;
    this.janitor = janitor;
    this.bootId = bootId;
  }

  void run(Set<String> knownPods) throws IOException {
    Map<String, String> unreadable = table.load();
    unreadable.forEach(
        (id, why) ->
            LOG.atError()
                .addKeyValue("record", id)
                .addKeyValue("why", why)
                .log("the record of a volume or publication can't be read: it stays as it is"));
    MountTable mounts = MountTable.read();
    removeOrphans(mounts, unreadable.keySet());
    for (VolumeEntry volume : table.all()) {
      volume.publications().forEach(each -> recover(volume, each, knownPods, mounts));
      if (unreadable.isEmpty()) { // else it may be published by what can't be read
        recover(volume);
      }
      provisioned.resume(volume);
    }
  }

  private void recover(
      VolumeEntry volume, PublicationRecord publication, Set<String> knownPods, MountTable mounts) {
    boolean ofPod = !publication.getPodId().isEmpty();
    boolean known = !ofPod || knownPods.contains(publication.getPodId());
    if (!known) {
      janitor.unpublish(publication.getId());
      return;
    }
    if (publication.getPhase() != PublicationPhase.PUBLICATION_PHASE_PUBLISHED) {
      // A pod that was in the making is taken down by the core, which asks for this as well.
      janitor.clear(publication.getId());
      return;
    }
    Path target = folders.target(publication.getId());
    VolumeBackend backend = backends.of(volume.record().getSource());
    if (backend.isPublished(publication, target, mounts)) {
      resume(backend, publication, target);
      return;
    }
    if (ofPod && !publication.getBootId().equals(bootId)) {
      return; // the node was started anew, and the pod is being stopped
    }
    LOG.atWarn()
        .addKeyValue("publication", publication.getId())
        .addKeyValue("path", publication.getPath())
        .log("a published volume is not mounted any more: publishing it again");
    janitor.add(
        "publication " + publication.getId(),
        operation ->
            table.withVolume(
                volume.key(),
                locked -> {
                  if (locked.publication(publication.getId()).isPresent()) {
                    publish.restore(locked, publication, !isMounted(locked), operation);
                  }
                  return Boolean.TRUE;
                }));
  }

  private boolean isMounted(VolumeEntry volume) throws IOException {
    MountTable mounts = MountTable.read();
    return volume.publications().stream()
        .anyMatch(publication -> mounts.isMounted(folders.target(publication.getId())));
  }

  private static void resume(VolumeBackend backend, PublicationRecord publication, Path target) {
    try {
      backend.resume(publication, target);
    } catch (IOException | KeelsonException e) {
      LOG.atError()
          .setCause(e)
          .addKeyValue("publication", publication.getId())
          .log("a published volume is not looked after as it was before the daemon's start");
    }
  }

  private void recover(VolumeEntry volume) {
    switch (volume.phase()) {
      case VOLUME_PHASE_ATTACHING,
          VOLUME_PHASE_ATTACHED,
          VOLUME_PHASE_STAGING,
          VOLUME_PHASE_STAGED,
          VOLUME_PHASE_UNSTAGING,
          VOLUME_PHASE_DETACHING -> {
        if (volume.publications().isEmpty()) {
          janitor.retire(volume.key());
        }
      }
      case VOLUME_PHASE_IDLE, VOLUME_PHASE_CREATING, VOLUME_PHASE_DELETING, UNRECOGNIZED -> {}
    }
  }

  /** Mounts and empty folders in the daemon's own places that no record knows. */
  private void removeOrphans(MountTable mounts, Set<String> unreadable) throws IOException {
    removeOrphans(
        mounts,
        folders.stagings(),
        name -> unreadable.contains(name) || table.find(name).isPresent(),
        folders::removeStaging);
    removeOrphans(
        mounts,
        folders.targets(),
        name -> unreadable.contains(name) || table.publication(name).isPresent(),
        folders::removeTarget);
  }

  private interface Known {
    boolean test(String name);
  }

  private interface Removal {
    void remove(String name) throws IOException;
  }

  private static void removeOrphans(MountTable mounts, Path folder, Known known, Removal removal)
      throws IOException {
    for (Path mount : mounts.below(folder)) {
      String name = folder.relativize(mount).getName(0).toString();
      if (known.test(name)) {
        continue;
      }
      try {
        Mounts.unmount(mount, 0); // not if it is in use
        LOG.atWarn().addKeyValue("path", mount).log("unmounted a volume that no record knows");
      } catch (IOException e) {
        LOG.atError()
            .addKeyValue("path", mount)
            .addKeyValue("why", e.getMessage())
            .log("a volume that no record knows stays mounted");
      }
    }
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
      for (Path entry : entries) {
        String name = String.valueOf(entry.getFileName());
        if (!known.test(name)) {
          removeEmpty(name, removal);
        }
      }
    }
  }

  private static void removeEmpty(String name, Removal removal) {
    try {
      removal.remove(name);
    } catch (IOException | KeelsonException e) {
      LOG.atWarn()
          .addKeyValue("name", name)
          .addKeyValue("why", e.getMessage())
          .log("a folder that no record knows is in use or has content and is left alone");
    }
  }
}
