package io.keelson.csi.volume;

import io.keelson.csi.driver.Operation;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.proto.record.v1.PublicationRecord;
import io.keelson.proto.record.v1.VolumeRecord;
import io.keelson.sandbox.RecordStore.Durability;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/**
 * What a kind of volume does at each step of its life. Calls for one volume never overlap, calls
 * for different volumes come in parallel. Any call may come a second time, also after the daemon
 * was killed in the midst of the first, and then does what is left to do. A reverse call comes also
 * where the forward one failed or is not known to have begun.
 *
 * <p>Failures are {@link io.keelson.sandbox.error.KeelsonException}s with the words of whoever
 * refused, or IOExceptions.
 */
public interface VolumeBackend {

  /**
   * Which steps there are for a volume.
   *
   * @param attach {@link #attach} comes first
   * @param stage {@link #stage} comes before the first publication
   * @param nodeId what the node is called in {@link #attach}
   * @param nodeLimit how many volumes of the same driver can be on this node; 0 for any number
   */
  record Steps(boolean attach, boolean stage, String nodeId, long nodeLimit) {
    public static final Steps NONE = new Steps(false, false, "", 0);
  }

  /**
   * The volume's name among all volumes, usable as the name of a file; a kind whose volumes are not
   * shared by publications makes it of the publication's id.
   *
   * @throws io.keelson.sandbox.error.InvalidRequestException if this is no volume of the kind
   */
  String key(VolumeSource source, String publicationId);

  /** What a record of this kind must survive. */
  default Durability durability() {
    return Durability.POWER;
  }

  default Steps steps(VolumeRecord volume, Operation operation) throws IOException {
    return Steps.NONE;
  }

  /** Makes the volume reachable from this node; answers what the next steps are to be told. */
  default Map<String, String> attach(VolumeRecord volume, Operation operation) throws IOException {
    return Map.of();
  }

  default void detach(VolumeRecord volume, Operation operation) throws IOException {}

  /**
   * Makes the volume ready on this node.
   *
   * @param staging a folder that is there and is the volume's own
   */
  default void stage(VolumeRecord volume, Path staging, Operation operation) throws IOException {}

  default void unstage(VolumeRecord volume, Path staging, Operation operation) throws IOException {}

  /**
   * Makes the volume appear.
   *
   * @param target where; its parent folder is there and is the publication's own
   * @return what containers mount: {@code target}, or where the volume lies already
   */
  Path publish(VolumeRecord volume, PublicationRecord publication, Path target, Operation operation)
      throws IOException;

  /**
   * The reverse of {@link #publish}. When it returns nothing is mounted at the target; the caller
   * checks that.
   */
  void unpublish(
      VolumeRecord volume, PublicationRecord publication, Path target, Operation operation)
      throws IOException;

  /** Whether a publication that was made is there still, by the mount table. */
  default boolean isPublished(PublicationRecord publication, Path target, MountTable mounts) {
    return mounts.isMounted(target);
  }

  /**
   * Takes up again, after a start of the daemon, what it does for a publication that is there as
   * long as it is.
   */
  default void resume(PublicationRecord publication, Path target) throws IOException {}
}
