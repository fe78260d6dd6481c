package io.keelson.linux.cgroup;

/** How a host has its control groups mounted (cgroups(7)). */
public enum CgroupLayout {
  /** One hierarchy with all controllers. */
  V2,
  /** A hierarchy for each controller, or for a few that go together. */
  V1,
  /** Controllers as in {@link #V1}, and a hierarchy of version 2 beside them. */
  HYBRID,
  /** None is mounted. */
  NONE
}
