package io.keelson.csi.local;

import io.keelson.proto.record.v1.LocalVolumeRecord;
import java.io.IOException;

/** Makes and deletes snapshots: copies of a volume's content, by reflink where there are such. */
final class Snapshots {

  private final LocalStore store;
  private final Contents contents;

  Snapshots(LocalStore store, Contents contents) {
    this.store = store;
    this.contents = contents;
  }

  LocalVolumeRecord create(String name, String volumeId) throws IOException {
    String id = store.snapshots().idOf(name);
    try (LocalStore.Held _ = store.hold(id)) {
      LocalVolumeRecord there = store.snapshots().find(id).orElse(null);
      if (there != null && !there.getSourceVolumeId().equals(volumeId)) {
        throw Failures.exists("snapshot \"" + name + "\" is one of another volume");
      }
      if (there != null && there.getReady()) {
        return there;
      }
      LocalVolumeRecord volume = store.volumes().get(volumeId);
      LocalVolumeRecord record =
          LocalVolumeRecord.newBuilder()
              .setId(id)
              .setName(name)
              .setLayout(volume.getLayout())
              .setCapacityBytes(volume.getCapacityBytes())
              .setSourceVolumeId(volumeId)
              .setCreatedAt(Provisioner.now())
              .build();
      store.snapshots().save(record);
      try (LocalStore.Held _ = store.hold(volumeId)) {
        contents.copy(
            volume.getLayout(), store.volumes().content(volume), store.snapshots().content(record));
      }
      LocalVolumeRecord ready = record.toBuilder().setReady(true).build();
      store.snapshots().save(ready);
      return ready;
    }
  }

  /** Harmless if it is gone. */
  void delete(String id) throws IOException {
    try (LocalStore.Held _ = store.hold(id)) {
      LocalVolumeRecord record = store.snapshots().find(id).orElse(null);
      if (record == null) {
        return;
      }
      store.snapshots().save(record.toBuilder().setReady(false).build());
      contents.delete(store.snapshots().content(record));
      store.snapshots().delete(id);
    }
  }
}
