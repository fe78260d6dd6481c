package io.keelson.csi.local;

import io.keelson.csi.quota.ProjectQuotas;
import io.keelson.linux.FileSystemSpace;
import io.keelson.linux.LoopDevices;
import io.keelson.linux.MountInfo;
import io.keelson.proto.csi.v1.CapacityRange;
import io.keelson.proto.record.v1.LocalVolumeRecord;
import io.keelson.proto.record.v1.LocalVolumeRecord.Layout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Makes, grows and deletes the volumes of the local driver. */
final class Provisioner {

  static final String LAYOUT = "layout";

  private static final long MIB = 1 << 20;
  private static final long DEFAULT_BYTES = 1024 * MIB;

  /** What was asked of a new volume. */
  record Wish(
      String name,
      CapacityRange capacity,
      boolean block,
      Map<String, String> parameters,
      String snapshotId,
      String volumeId) {}

  private final LocalStore store;
  private final Contents contents;
  private final ProjectQuotas quotas;

  Provisioner(LocalStore store, Contents contents, ProjectQuotas quotas) {
    this.store = store;
    this.contents = contents;
    this.quotas = quotas;
  }

  LocalVolumeRecord create(Wish wish) throws IOException {
    String id = store.volumes().idOf(wish.name());
    try (LocalStore.Held _ = store.hold(id)) {
      LocalVolumeRecord there = store.volumes().find(id).orElse(null);
      if (there != null) {
        checkFits(there, wish);
        if (there.getReady()) {
          return there;
        }
      }
      LocalVolumeRecord record = there != null ? there : plan(id, wish);
      store.volumes().save(record);
      fill(record);
      LocalVolumeRecord ready = record.toBuilder().setReady(true).build();
      store.volumes().save(ready);
      return ready;
    }
  }

  /**
   * Makes a volume that lives and dies with its publication, under the id that the caller chose.
   *
   * @param size bytes, {@code ""} for no limit
   */
  LocalVolumeRecord createEphemeral(String id, String size) throws IOException {
    if (!id.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,127}") || !size.matches("[0-9]{0,18}")) {
      throw Failures.invalid("the id or the size of an ephemeral volume is not usable");
    }
    try (LocalStore.Held _ = store.hold(id)) {
      LocalVolumeRecord there = store.volumes().find(id).orElse(null);
      if (there != null && there.getReady()) {
        return there;
      }
      CapacityRange range =
          CapacityRange.newBuilder()
              .setRequiredBytes(size.isEmpty() ? 0 : Long.parseLong(size))
              .build();
      LocalVolumeRecord record =
          plan(id, new Wish(id, range, false, Map.of(), "", "")).toBuilder()
              .setEphemeral(true)
              .build();
      store.volumes().save(record);
      fill(record);
      LocalVolumeRecord ready = record.toBuilder().setReady(true).build();
      store.volumes().save(ready);
      return ready;
    }
  }

  private static void checkFits(LocalVolumeRecord there, Wish wish) {
    CapacityRange wanted = wish.capacity();
    boolean sized =
        there.getCapacityBytes() >= wanted.getRequiredBytes()
            && (wanted.getLimitBytes() == 0 || there.getCapacityBytes() <= wanted.getLimitBytes())
            && there.getRequiredBytes() == wanted.getRequiredBytes();
    boolean same =
        there.getSourceSnapshotId().equals(wish.snapshotId())
            && there.getSourceVolumeId().equals(wish.volumeId());
    if (!sized || !same) {
      throw Failures.exists(
          "volume \"" + wish.name() + "\" is there with another size or another source");
    }
  }

  private LocalVolumeRecord plan(String id, Wish wish) throws IOException {
    LocalVolumeRecord source = source(wish);
    long smallest = source == null ? 0 : source.getCapacityBytes();
    Layout layout = layout(wish, source);
    long bytes = size(wish.capacity(), layout, smallest);
    if (layout == Layout.LAYOUT_IMAGE && bytes > FileSystemSpace.of(store.root()).available()) {
      throw Failures.outOfRange("there is no room for " + bytes + " bytes");
    }
    return LocalVolumeRecord.newBuilder()
        .setId(id)
        .setName(wish.name())
        .setLayout(layout)
        .setCapacityBytes(bytes)
        .setRequiredBytes(wish.capacity().getRequiredBytes())
        .setLimitBytes(wish.capacity().getLimitBytes())
        .setCreatedAt(now())
        .setSourceSnapshotId(wish.snapshotId())
        .setSourceVolumeId(wish.volumeId())
        .build();
  }

  private @Nullable LocalVolumeRecord source(Wish wish) {
    if (!wish.snapshotId().isEmpty()) {
      return store.snapshots().get(wish.snapshotId());
    }
    return wish.volumeId().isEmpty() ? null : store.volumes().get(wish.volumeId());
  }

  /** A folder where a size can be held to or none is asked for, else an image of that size. */
  private Layout layout(Wish wish, @Nullable LocalVolumeRecord source) {
    boolean sized = wish.capacity().getRequiredBytes() > 0 || wish.capacity().getLimitBytes() > 0;
    String asked = wish.parameters().getOrDefault(LAYOUT, "");
    Layout layout =
        switch (asked) {
          case "folder" -> Layout.LAYOUT_FOLDER;
          case "image" -> Layout.LAYOUT_IMAGE;
          case "" ->
              source != null
                  ? source.getLayout()
                  : wish.block() || (sized && !quotas.available())
                      ? Layout.LAYOUT_IMAGE
                      : Layout.LAYOUT_FOLDER;
          default ->
              throw Failures.invalid("parameter layout is \"folder\" or \"image\", not " + asked);
        };
    if (source != null && layout != source.getLayout()) {
      throw Failures.invalid("a volume has the layout of what it is made of");
    }
    if (layout == Layout.LAYOUT_FOLDER && wish.block()) {
      throw Failures.invalid("a folder can't be a block device");
    }
    if (layout == Layout.LAYOUT_FOLDER && sized && source == null && !quotas.available()) {
      throw Failures.invalid(
          "the file system of "
              + store.root()
              + " has no project quotas, so that a folder can't be held to a size");
    }
    return layout;
  }

  private static long size(CapacityRange range, Layout layout, long smallest) {
    long required = Math.max(range.getRequiredBytes(), smallest);
    long limit = range.getLimitBytes();
    if (required < 0 || limit < 0 || (limit > 0 && limit < required)) {
      throw Failures.outOfRange("no size is at least " + required + " and at most " + limit);
    }
    if (layout == Layout.LAYOUT_FOLDER) {
      return required > 0 ? required : limit;
    }
    long bytes =
        required > 0 ? required : limit > 0 ? Math.min(limit, DEFAULT_BYTES) : DEFAULT_BYTES;
    bytes = Math.max(bytes, MIB);
    long rounded = (bytes + MIB - 1) / MIB * MIB;
    if (limit == 0 || rounded <= limit) {
      return rounded;
    }
    if (bytes > limit) {
      throw Failures.outOfRange("an image has at least " + MIB + " bytes");
    }
    return bytes;
  }

  private void fill(LocalVolumeRecord record) throws IOException {
    Path content = store.volumes().content(record);
    if (!record.getSourceSnapshotId().isEmpty()) {
      LocalVolumeRecord snapshot = store.snapshots().get(record.getSourceSnapshotId());
      contents.copy(record.getLayout(), store.snapshots().content(snapshot), content);
    } else if (!record.getSourceVolumeId().isEmpty()) {
      LocalVolumeRecord volume = store.volumes().get(record.getSourceVolumeId());
      contents.copy(record.getLayout(), store.volumes().content(volume), content);
    } else {
      contents.makeEmpty(record.getLayout(), content, record.getCapacityBytes());
    }
    if (record.getLayout() == Layout.LAYOUT_IMAGE) {
      contents.grow(content, record.getCapacityBytes());
    } else if (record.getCapacityBytes() > 0 && quotas.available()) {
      quotas.limit(List.of(content), record.getCapacityBytes());
    }
  }

  /** Harmless if it is gone. */
  void delete(String id) throws IOException {
    try (LocalStore.Held _ = store.hold(id)) {
      LocalVolumeRecord record = store.volumes().find(id).orElse(null);
      if (record == null) {
        return;
      }
      Path content = store.volumes().content(record);
      if (!LoopDevices.all(content).isEmpty() || isBound(content)) {
        throw Failures.precondition("volume " + id + " is in use");
      }
      store.volumes().save(record.toBuilder().setReady(false).build());
      if (record.getLayout() == Layout.LAYOUT_FOLDER
          && quotas.available()
          && Files.isDirectory(content)) {
        quotas.release(content);
      }
      contents.delete(content);
      store.volumes().delete(id);
    }
  }

  private static boolean isBound(Path folder) throws IOException {
    return MountInfo.read().stream()
        .anyMatch(
            mount ->
                mount
                    .root()
                    .endsWith(
                        folder
                            .subpath(folder.getNameCount() - 3, folder.getNameCount())
                            .toString()));
  }

  LocalVolumeRecord expand(String id, CapacityRange range) throws IOException {
    try (LocalStore.Held _ = store.hold(id)) {
      LocalVolumeRecord record = store.volumes().get(id);
      if (record.getCapacityBytes() >= range.getRequiredBytes()) {
        return record;
      }
      long bytes = size(range, record.getLayout(), record.getCapacityBytes());
      Path content = store.volumes().content(record);
      if (record.getLayout() == Layout.LAYOUT_IMAGE) {
        contents.grow(content, bytes);
      } else if (quotas.available()) {
        quotas.limit(List.of(content), bytes);
      }
      LocalVolumeRecord grown = record.toBuilder().setCapacityBytes(bytes).build();
      store.volumes().save(grown);
      return grown;
    }
  }

  static long now() {
    Instant now = Instant.now();
    return now.getEpochSecond() * 1_000_000_000L + now.getNano();
  }
}
