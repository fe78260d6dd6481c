package io.keelson.runtime.config;

/** What no plugin of the Node Resource Interface may adjust, if the node says so. */
public enum NriRestriction {
  /** OCI hooks, which run on the host. */
  HOOKS,
  /** Linux namespaces. */
  NAMESPACES,
  SYSCTLS,
  /** The seccomp filter of a container that has the runtime's default one. */
  SECCOMP_DEFAULT,
  /** The seccomp filter of a container that has a file of its own. */
  SECCOMP_LOCALHOST,
  /** The seccomp filter of a container that has none. */
  SECCOMP_UNCONFINED
}
