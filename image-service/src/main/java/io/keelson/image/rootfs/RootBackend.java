package io.keelson.image.rootfs;

import java.util.Locale;

/** How root file systems are made of an image's layers. */
public enum RootBackend {
  /** By overlayfs: nothing is copied, what a container writes goes to a folder of its own. */
  OVERLAY,
  /** By overlayfs over layers that are kept as erofs images, each mounted once. */
  EROFS,
  /** By copying all layers: slow and large, but without overlayfs under the container. */
  COPY,
  /** As the layers stand, read-only: a container that writes to its root fails. */
  BIND;

  /** By which runtime handlers and the configuration name it. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
