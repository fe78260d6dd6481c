package io.keelson.runtime.config;

/** Who makes cgroups, as the configuration asks. */
public enum CgroupDriverChoice {
  AUTO,
  CGROUPFS,
  SYSTEMD
}
