package io.keelson.image.store;

import io.keelson.image.reference.Digest;
import io.keelson.linux.tree.Trees;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What is written of a layer beside its content.
 *
 * @param chainId as {@code algorithm:hex}
 * @param diffId as {@code algorithm:hex}
 * @param blob digest of the blob that it came as, null if it had none
 * @param bytes what unpacking counted, and so what images say that they take: never changed
 * @param inodes what unpacking counted
 * @param measured what the disk said once it had all, null before that
 * @param writtenInBoot the boot in which the layer was written, as long as it is not known to be on
 *     the disk; null when it is. A layer of an earlier boot that has one may have lost anything to
 *     a power cut.
 * @param host the folder of this host that the layer is, null for one that is kept in the store
 * @param erofs whether the content is an image that is mounted
 * @param seal digest of all that the content is, for a later look; null if there is none yet
 */
record LayerRecord(
    String chainId,
    String diffId,
    @Nullable String blob,
    long bytes,
    long inodes,
    Trees.@Nullable Usage measured,
    @Nullable String writtenInBoot,
    @Nullable String host,
    boolean erofs,
    @Nullable String seal) {

  /**
   * Of one that was unpacked just now.
   *
   * @param packed what its erofs image takes, null if it is none
   */
  static LayerRecord unpacked(
      Digest chainId,
      Digest diffId,
      @Nullable Digest blob,
      Trees.Usage counted,
      Trees.@Nullable Usage packed,
      String boot) {
    return new LayerRecord(
        chainId.toString(),
        diffId.toString(),
        blob == null ? null : blob.toString(),
        counted.bytes(),
        counted.inodes(),
        packed,
        boot,
        null,
        packed != null,
        null);
  }

  /** Of a folder of this host. */
  static LayerRecord linked(Digest chainId, Digest diffId, Path host, String boot) {
    return new LayerRecord(
        chainId.toString(),
        diffId.toString(),
        null,
        0,
        2,
        null,
        boot,
        host.toString(),
        false,
        null);
  }

  LayerRecord settled(Trees.Usage usage) {
    return new LayerRecord(chainId, diffId, blob, bytes, inodes, usage, null, host, erofs, seal);
  }

  LayerRecord sealed(Digest digest) {
    return new LayerRecord(
        chainId,
        diffId,
        blob,
        bytes,
        inodes,
        measured,
        writtenInBoot,
        host,
        erofs,
        digest.toString());
  }

  /** What it takes, as well as that is known. */
  Trees.Usage usage() {
    return measured == null ? new Trees.Usage(bytes, inodes) : measured;
  }
}
