package io.keelson.csi.volume;

import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.sandbox.error.InvalidRequestException;
import java.util.Map;

/** The kinds of volumes. Immutable. */
public final class VolumeBackends {

  private final Map<VolumeSource.KindCase, VolumeBackend> backends;

  public VolumeBackends(Map<VolumeSource.KindCase, VolumeBackend> backends) {
    this.backends = Map.copyOf(backends);
  }

  /**
   * @throws InvalidRequestException if the source names no kind, or one that is not there
   */
  VolumeBackend of(VolumeSource source) {
    VolumeBackend backend = backends.get(source.getKindCase());
    if (backend == null) {
      throw new InvalidRequestException(
          source.getKindCase() == VolumeSource.KindCase.KIND_NOT_SET
              ? "the volume has no kind: csi, volume, docker, hostPath, tmpfs, sandboxPath, secret"
              : "volumes of kind " + source.getKindCase() + " can't be published");
    }
    return backend;
  }
}
