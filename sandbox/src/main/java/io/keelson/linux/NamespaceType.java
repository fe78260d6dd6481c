package io.keelson.linux;

/** The kinds of namespaces (namespaces(7)). */
public enum NamespaceType {
  NET("net", 0x40000000),
  IPC("ipc", 0x08000000),
  UTS("uts", 0x04000000),
  PID("pid", 0x20000000),
  USER("user", 0x10000000),
  MOUNT("mnt", 0x00020000),
  CGROUP("cgroup", 0x02000000);

  private final String procName;
  private final int cloneFlag;

  NamespaceType(String procName, int cloneFlag) {
    this.procName = procName;
    this.cloneFlag = cloneFlag;
  }

  /** The name of its file in {@code /proc/PID/ns}. */
  public String procName() {
    return procName;
  }

  /** Its flag for clone(2), unshare(2) and setns(2). */
  public int cloneFlag() {
    return cloneFlag;
  }
}
