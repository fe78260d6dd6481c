package io.keelson.runtime.config;

/** How root file systems are made of images. */
public enum SnapshotBackend {
  /** As for all other containers of the node. */
  DEFAULT,
  OVERLAY,
  COPY,
  BIND
}
