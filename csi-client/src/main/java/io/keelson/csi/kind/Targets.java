package io.keelson.csi.kind;

import io.keelson.csi.volume.MountTable;
import io.keelson.linux.KernelThreads;
import io.keelson.linux.MountAttributes;
import io.keelson.linux.Mounts;
import java.io.IOException;
import java.nio.file.Path;

/** Places where volumes are published. */
final class Targets {

  private Targets() {}

  /** Lets nobody write, also where the driver would: it is free to leave that to its caller. */
  static void makeReadOnly(Path target, KernelThreads kernelThreads) throws IOException {
    if (!MountTable.read().isReadOnly(target)) {
      kernelThreads.run(() -> MountAttributes.makeReadOnly(target));
    }
  }

  /** Takes off what is mounted, also if it is in use. Harmless if nothing is. */
  static void detach(Path target, KernelThreads kernelThreads) throws IOException {
    if (MountTable.read().isMounted(target)) {
      kernelThreads.run(() -> Mounts.detach(target));
    }
  }
}
