package io.keelson.image.registry.hosts;

/** What a host may be asked for. */
public enum Capability {
  /** Content by its digest, which can be checked. */
  PULL,
  /** What a tag means now, for which the host must be trusted. */
  RESOLVE,
  /** Taking content; never asked for here. */
  PUSH
}
